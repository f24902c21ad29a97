//! Writes `schemas/vectors/` anew: after a change of format 0, in the commit that makes it.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/vectors");
    std::fs::create_dir_all(&folder)?;
    for (name, content) in hub_core_tests::vectors::files() {
        let text = serde_json::to_string_pretty(&content)?;
        std::fs::write(folder.join(name), text + "\n")?;
    }
    Ok(())
}
