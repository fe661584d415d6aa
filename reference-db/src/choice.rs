//! One way to write a list of named choices, so that parsing, printing and `--help` cannot drift apart.

/// A text that names none of the choices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {given:?} does not exist: take one of {choices}")]
pub struct UnknownChoice {
    /// What was to be chosen, such as `mode`.
    pub kind: &'static str,
    /// What was given.
    pub given: String,
    /// What there is.
    pub choices: String,
}

/// Declares an enum whose variants have a name and a line of help: the registry is its `ALL`, sorted by name.
macro_rules! choices {
    (
        $(#[$meta:meta])*
        pub enum $type:ident ($kind:literal) {
            $($(#[$variant_meta:meta])* $variant:ident = $name:literal, $summary:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $(#[doc = $summary] $(#[$variant_meta])* $variant,)*
        }

        impl $type {
            /// Every choice, sorted by name.
            pub const ALL: &[$type] = &[$($type::$variant),*];

            /// The name by which it is chosen.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)*
                }
            }

            /// One line for people who choose.
            pub fn summary(self) -> &'static str {
                match self {
                    $($type::$variant => $summary,)*
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        /// Choices travel by their names.
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let name = <String as serde::Deserialize>::deserialize(deserializer)?;
                name.parse().map_err(serde::de::Error::custom)
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::choice::UnknownChoice;

            fn from_str(text: &str) -> Result<$type, $crate::choice::UnknownChoice> {
                $type::ALL.iter().copied().find(|choice| choice.name() == text).ok_or_else(|| {
                    let names: Vec<&str> = $type::ALL.iter().map(|choice| choice.name()).collect();
                    $crate::choice::UnknownChoice {
                        kind: $kind,
                        given: text.to_owned(),
                        choices: names.join(", "),
                    }
                })
            }
        }
    };
}

pub(crate) use choices;

#[cfg(test)]
mod tests {
    use crate::ack::{AckPolicy, OnAckTimeout, OnFollowerDown};
    use crate::failover::{Detector, Election, Failover, Fencing, Rejoin};
    use crate::misdirected::Misdirected;
    use crate::reads::Reads;
    use crate::{Defect, Delivery, Mode, Topology};

    fn check(names: &[&str], summaries: &[&str]) {
        assert!(names.is_sorted(), "{names:?}");
        assert!(summaries.iter().all(|summary| !summary.is_empty() && !summary.contains('\n')));
    }

    #[test]
    fn registries_are_sorted_and_explained() {
        macro_rules! check_all {
            ($($type:ident),*) => {$(
                let names: Vec<_> = $type::ALL.iter().map(|choice| choice.name()).collect();
                let summaries: Vec<_> = $type::ALL.iter().map(|choice| choice.summary()).collect();
                check(&names, &summaries);
                for choice in $type::ALL {
                    assert_eq!(choice.to_string().parse::<$type>().as_ref(), Ok(choice));
                }
            )*};
        }
        check_all!(Detector, Election, Failover, Fencing, Rejoin);
        check_all!(
            AckPolicy,
            Defect,
            Delivery,
            Misdirected,
            Mode,
            OnAckTimeout,
            OnFollowerDown,
            Reads,
            Topology
        );
    }

    #[test]
    fn an_unknown_name_lists_what_there_is() {
        let error = "paxos".parse::<Mode>().unwrap_err().to_string();
        assert_eq!(error, r#"mode "paxos" does not exist: take one of crdt, lww, siblings, single-leader"#);
    }
}
