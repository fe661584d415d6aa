//! Apache Parquet, for engines that scan what one machine cannot: a row for each micro-op.
//!
//! ```text
//!   operation  place  session  node  invoked_ns  completed_ns  outcome    function  key  argument  observed
//!   0          0      3        A     12412000    12530000      confirmed  append    k17  412       -
//!   1          0      5        B     13121000    13200000      confirmed  read      k17  -         [[88,301]]
//! ```
//!
//! `-` is null. Names and values are those of our JSON Lines, values as JSON text: a column `observed` holds
//! the list of all that was seen, so `[]` is an absent key and two entries are siblings. Times are nanoseconds
//! since the run began. Faults and the states of nodes are left out.
//!
//! Written in groups of [`ROWS_MAX`] rows, packed with Snappy; the file is held in memory until it is whole.
//! Source: Apache Parquet, format 2.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use serde::Serialize;
use serde_json::Value as Json;

use super::{Unwritable, Writer};
use crate::{Call, History, MicroOp, Nanos, Operation, Outcome, Reply};

pub(super) const WRITER: Writer = Writer { name: "parquet", write };

/// Rows that are written together.
const ROWS_MAX: usize = 1 << 18;

const SCHEMA: &str = "message micro_op {
    required int64 operation;
    required int32 place;
    required boolean in_transaction;
    required int64 session;
    optional binary node (UTF8);
    required binary phase (UTF8);
    optional int64 planned_ns;
    required int64 invoked_ns;
    optional int64 completed_ns;
    required binary outcome (UTF8);
    optional binary reason (UTF8);
    required binary function (UTF8);
    required binary key (UTF8);
    optional binary argument (JSON);
    optional binary expected (JSON);
    optional binary observed (JSON);
    optional binary observed_versions (JSON);
    optional binary version (UTF8);
}";

fn write(history: &History, out: &mut dyn Write) -> Result<Vec<String>, Unwritable> {
    let file = in_memory(history, ROWS_MAX).map_err(|error| Unwritable::Io(io::Error::other(error)))?;
    out.write_all(&file)?;
    let mut left_out = Vec::new();
    for (count, what) in [(history.faults().len(), "faults"), (history.node_events().len(), "nodes")] {
        if count > 0 {
            left_out.push(format!("what happened to {what}, {count} events: left out"));
        }
    }
    Ok(left_out)
}

/// The whole file, so many rows a group.
pub(super) fn in_memory(history: &History, rows_max: usize) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut rows = Rows::default();
    for operation in history.operations() {
        operation.steps().enumerate().for_each(|(place, step)| rows.push(operation, place, step));
        if rows.operation.len() >= rows_max {
            std::mem::take(&mut rows).write(&mut file)?;
        }
    }
    if !rows.operation.is_empty() {
        rows.write(&mut file)?;
    }
    file.into_inner()
}

/// A column that may have nulls: the values that are there, and which rows have one.
struct Column<T> {
    values: Vec<T>,
    is_there: Vec<i16>,
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self { values: Vec::new(), is_there: Vec::new() }
    }
}

impl<T> Column<T> {
    fn push(&mut self, value: Option<T>) {
        self.is_there.push(value.is_some().into());
        self.values.extend(value);
    }
}

#[derive(Default)]
struct Rows {
    operation: Vec<i64>,
    place: Vec<i32>,
    in_transaction: Vec<bool>,
    session: Vec<i64>,
    node: Column<ByteArray>,
    phase: Vec<ByteArray>,
    planned: Column<i64>,
    invoked: Vec<i64>,
    completed: Column<i64>,
    outcome: Vec<ByteArray>,
    reason: Column<ByteArray>,
    function: Vec<ByteArray>,
    key: Vec<ByteArray>,
    argument: Column<ByteArray>,
    expected: Column<ByteArray>,
    observed: Column<ByteArray>,
    observed_versions: Column<ByteArray>,
    version: Column<ByteArray>,
}

impl Rows {
    fn push(&mut self, operation: &Operation, place: usize, (micro_op, reply): (&MicroOp, Option<&Reply>)) {
        self.operation.push(i64::from(operation.id.0));
        self.place.push(place as i32);
        self.in_transaction.push(matches!(operation.call, Call::Transaction(_)));
        self.session.push(i64::from(operation.session.0));
        self.node.push(operation.node.as_ref().map(|node| node.as_str().into()));
        self.phase.push(word(&operation.phase));
        self.planned.push(operation.planned.map(nanoseconds));
        self.invoked.push(nanoseconds(operation.invoked));
        self.completed.push(operation.completed.map(nanoseconds));
        let (outcome, reason) = match &operation.outcome {
            Outcome::Confirmed(_) => ("confirmed", None),
            Outcome::Failed(reason) => ("failed", Some(reason)),
            Outcome::Unknown(reason) => ("unknown", Some(reason)),
        };
        self.outcome.push(outcome.into());
        self.reason.push(reason.map(|reason| reason.as_str().into()));
        self.key.push(micro_op.key().as_str().into());
        self.asked(micro_op);
        let observed = reply.and_then(|reply| reply.observed.as_ref());
        self.observed.push(observed.map(|observed| json(&observed.values)));
        let versions = observed.map(|observed| &observed.versions).filter(|versions| !versions.is_empty());
        self.observed_versions.push(versions.map(json));
        self.version.push(reply.and_then(|reply| reply.version.as_ref()).map(word));
    }

    // By way of JSON, so that everything is called what it is called there.
    fn asked(&mut self, micro_op: &MicroOp) {
        let asked = serde_json::to_value(micro_op).unwrap_or_default();
        let (function, mut fields) = match asked {
            Json::Object(asked) => asked.into_iter().next().unwrap_or_default(),
            _ => Default::default(),
        };
        let mut take = |name: &str| fields.get_mut(name).map(Json::take);
        let argument = ["value", "element", "by"].into_iter().find_map(&mut take);
        self.argument.push(argument.as_ref().map(json));
        self.expected.push(take("expected").as_ref().map(json));
        self.function.push(function.as_str().into());
    }

    /// In the order of the schema.
    fn write(self, file: &mut SerializedFileWriter<Vec<u8>>) -> Result<(), ParquetError> {
        let mut row_group = file.next_row_group()?;
        let group = &mut row_group;
        all::<Int64Type>(group, &self.operation)?;
        all::<Int32Type>(group, &self.place)?;
        all::<BoolType>(group, &self.in_transaction)?;
        all::<Int64Type>(group, &self.session)?;
        some::<ByteArrayType>(group, &self.node)?;
        all::<ByteArrayType>(group, &self.phase)?;
        some::<Int64Type>(group, &self.planned)?;
        all::<Int64Type>(group, &self.invoked)?;
        some::<Int64Type>(group, &self.completed)?;
        all::<ByteArrayType>(group, &self.outcome)?;
        some::<ByteArrayType>(group, &self.reason)?;
        all::<ByteArrayType>(group, &self.function)?;
        all::<ByteArrayType>(group, &self.key)?;
        some::<ByteArrayType>(group, &self.argument)?;
        some::<ByteArrayType>(group, &self.expected)?;
        some::<ByteArrayType>(group, &self.observed)?;
        some::<ByteArrayType>(group, &self.observed_versions)?;
        some::<ByteArrayType>(group, &self.version)?;
        row_group.close().map(drop)
    }
}

fn all<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
) -> Result<(), ParquetError> {
    column::<T>(group, values, None)
}

fn some<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    column_of: &Column<T::T>,
) -> Result<(), ParquetError> {
    column::<T>(group, &column_of.values, Some(&column_of.is_there))
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    is_there: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    column.typed::<T>().write_batch(values, is_there, None)?;
    column.close()
}

fn nanoseconds(time: Nanos) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

fn json(value: &impl Serialize) -> ByteArray {
    serde_json::to_string(value).unwrap_or_default().into_bytes().into()
}

/// A name that JSON would write in quotes.
fn word(value: &impl Serialize) -> ByteArray {
    serde_json::to_value(value).ok().and_then(|value| Some(value.as_str()?.into())).unwrap_or_default()
}
