//! `ops/demo` starts this.

fn main() {}
