//! Answers as people read them: tables, remarks and citations, in Chinese and English.

pub mod coverage;
