//! The tests tested: known bugs (`tests/planted/bugs.toml`) are put into a copy of the sources, one at a time, and
//! the test that guards against each must fail.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fmt, fs, io};

/// A bug that must not get past the tests.
#[derive(Debug, Clone, Deserialize)]
pub struct Bug {
    /// In words.
    pub what: String,
    /// Where, from the root.
    pub file: PathBuf,
    /// What stands there, once.
    pub find: String,
    /// What the bug makes of it.
    pub put: String,
    /// Which test must fail: a name of [`GUARDS`].
    pub caught_by: String,
}

#[derive(Debug, Deserialize)]
struct Bugs {
    bug: Vec<Bug>,
}

/// What the tests that bugs name are for Cargo.
pub const GUARDS: [(&str, &[&str]); 6] = [
    ("simulator", &["--package", "hub-sim-tests", "--test", "simulator", "worlds"]),
    ("machine", &["--package", "hub-node"]),
    ("journal", &["--package", "hub-log", "--test", "log"]),
    ("audit", &["--package", "hub-core-tests", "--test", "audit"]),
    ("authority", &["--package", "hub-core-tests", "--test", "authority"]),
    ("forks", &["--package", "hub-core-tests", "--test", "forks"]),
];

/// Why a bug could not be planted.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlantError {
    /// The list, a source or a copy of one.
    Io(PathBuf, io::Error),
    /// The list is not as it should be.
    List(toml::de::Error),
    /// What is to be found stands more or less than once.
    Places {
        /// The bug.
        what: String,
        /// How often; expected is once.
        found: usize,
    },
    /// No such test.
    Guard(String),
    /// With the bug in it the program does not build.
    Build {
        /// The bug.
        what: String,
        /// What the compiler says.
        said: String,
    },
}

impl fmt::Display for PlantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::List(error) => error.fmt(f),
            Self::Places { what, found } => {
                write!(f, "{what}: `find` is expected once in its file, found {found} times")
            }
            Self::Guard(name) => write!(f, "no test is called {name}"),
            Self::Build { what, said } => write!(f, "{what}: does not build\n{said}"),
        }
    }
}

impl std::error::Error for PlantError {}

fn read(path: &Path) -> Result<String, PlantError> {
    fs::read_to_string(path).map_err(|error| PlantError::Io(path.to_owned(), error))
}

/// The bugs of the sources below `root`.
///
/// # Errors
/// The list cannot be read.
pub fn bugs(root: &Path) -> Result<Vec<Bug>, PlantError> {
    let text = read(&root.join("tests/planted/bugs.toml"))?;
    Ok(toml::from_str::<Bugs>(&text).map_err(PlantError::List)?.bug)
}

impl Bug {
    /// The source file with the bug in it.
    ///
    /// # Errors
    /// The file has no such place, or several.
    pub fn planted(&self, root: &Path) -> Result<String, PlantError> {
        let text = read(&root.join(&self.file))?;
        match text.matches(&self.find).count() {
            1 => Ok(text.replacen(&self.find, &self.put, 1)),
            found => Err(PlantError::Places { what: self.what.clone(), found }),
        }
    }

    /// What Cargo runs to catch it.
    ///
    /// # Errors
    /// No such test.
    pub fn guard(&self) -> Result<&'static [&'static str], PlantError> {
        let guard = GUARDS.iter().find(|(name, _)| *name == self.caught_by);
        Ok(guard.ok_or_else(|| PlantError::Guard(self.caught_by.clone()))?.1)
    }
}

/// A copy of the sources in which bugs are planted.
#[derive(Debug)]
pub struct Garden {
    place: PathBuf,
    target: PathBuf,
}

impl Garden {
    /// Copies the sources below `root`; what is built lies in `target`.
    ///
    /// # Errors
    /// A file cannot be copied.
    pub fn lay(root: &Path, target: &Path) -> Result<Self, PlantError> {
        let place = target.join("planted");
        let parts =
            ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "crates", "schemas", "tests"];
        for part in parts {
            copy(&root.join(part), &place.join(part))
                .map_err(|error| PlantError::Io(root.join(part), error))?;
        }
        Ok(Self { place, target: target.to_owned() })
    }

    /// Plants a bug, runs its guard, takes it out; whether it was caught.
    ///
    /// # Errors
    /// It has no place here, or does not build.
    pub fn catches(&self, bug: &Bug) -> Result<bool, PlantError> {
        let (guard, file) = (bug.guard()?, self.place.join(&bug.file));
        let (text, planted) = (read(&file)?, bug.planted(&self.place)?);
        let failed = |error| PlantError::Io(file.clone(), error);
        fs::write(&file, planted).map_err(failed)?;
        let built = self.cargo(guard, &["--no-run"]);
        let ran = self.cargo(guard, &[]);
        fs::write(&file, text).map_err(failed)?;
        let (built, ran) = (built.map_err(failed)?, ran.map_err(failed)?);
        if built.status.success() {
            return Ok(!ran.status.success());
        }
        let said = String::from_utf8_lossy(&built.stderr).into_owned();
        Err(PlantError::Build { what: bug.what.clone(), said })
    }

    fn cargo(&self, guard: &[&str], more: &[&str]) -> io::Result<std::process::Output> {
        let mut command = Command::new("cargo");
        command.args(["test", "--locked", "--quiet"]).args(guard).args(more);
        // with the artifacts of all that no bug touches
        command.env("CARGO_TARGET_DIR", &self.target).current_dir(&self.place).output()
    }
}

/// Copies a file or folder; what is the same already stays, for Cargo goes by the time of writing.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        return fs::read_dir(from)?.try_for_each(|entry| {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name))
        });
    }
    let bytes = fs::read(from)?;
    if fs::read(to).ok().as_ref() == Some(&bytes) { Ok(()) } else { fs::write(to, bytes) }
}
