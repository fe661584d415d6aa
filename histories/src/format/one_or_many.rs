//! One thing stands alone, several stand in an array; and an object is an object.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use smallvec::SmallVec;

use crate::{Call, MicroOp, Reply};

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl From<OneOrMany<MicroOp>> for Call {
    fn from(call: OneOrMany<MicroOp>) -> Self {
        match call {
            OneOrMany::One(micro_op) => Self::Single(micro_op),
            OneOrMany::Many(micro_ops) => Self::Transaction(micro_ops),
        }
    }
}

impl From<OneOrMany<Reply>> for SmallVec<[Reply; 1]> {
    fn from(reply: OneOrMany<Reply>) -> Self {
        match reply {
            OneOrMany::One(reply) => Self::from_iter([reply]),
            OneOrMany::Many(replies) => Self::from_vec(replies),
        }
    }
}

// serde's own `untagged` would copy each line into a tree first.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, or an array of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(OneOrMany::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
        let objects: Vec<Object<T>> = Vec::deserialize(SeqAccessDeserializer::new(sequence))?;
        Ok(OneOrMany::Many(objects.into_iter().map(|object| object.0).collect()))
    }
}

/// An object. serde would also take an array of its fields without their names.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}
