//! Merged types: values on which concurrent operations all take effect.
//!
//! Each is built for operations that may come in any order, each once: the node drops what comes twice.
//!
//! Source: Shapiro et al., *A comprehensive study of convergent and commutative replicated data types* (2011).

pub(crate) mod counter;
pub(crate) mod list;
pub(crate) mod set;
