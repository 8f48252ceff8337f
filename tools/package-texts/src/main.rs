//! Writes the manual pages and the shell completions of the Debian package into a directory. Both are generated from the
//! definition of the command line.

use clap_complete::{Shell, generate_to};
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: package-texts DIRECTORY")?;
    std::fs::create_dir_all(&dir)?;
    let mut command = callboard::cli::command();
    clap_mangen::generate_to(command.clone(), &dir)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut command, "callboard", &dir)?;
    }
    Ok(())
}
