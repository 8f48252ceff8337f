//! The types of everything that is stored, and their bytes. They know neither the index nor the journal.

pub(super) mod named;
