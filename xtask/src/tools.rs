//! Running other programs.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Prints a line.
#[expect(clippy::print_stdout, reason = "this is how a tool speaks")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// The folder of the whole project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
        .to_owned()
}

/// A program to be run in the project's folder.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(args).current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs a program, showing what it prints.
pub(crate) fn run(name: &str, args: &[&str]) -> Result<(), String> {
    say(&format!("$ {name} {}", args.join(" ")));
    let status = program(name, args)
        .status()
        .map_err(|error| format!("{name}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{name} {} failed", args.join(" ")))
    }
}

/// Runs a program, showing what it prints, and gives each line of its standard output to `see`.
pub(crate) fn watch(
    name: &str,
    args: &[&str],
    environment: &[(&str, &str)],
    mut see: impl FnMut(&str),
) -> Result<(), String> {
    let set: String = environment
        .iter()
        .map(|(name, value)| format!("{name}={value} "))
        .collect();
    say(&format!("$ {set}{name} {}", args.join(" ")));
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let mut child = program(name, args)
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(failed)?;
            say(&line);
            see(&line);
        }
    }
    let status = child.wait().map_err(failed)?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{name} {} failed", args.join(" ")))
    }
}

/// What a program prints.
pub(crate) fn output(name: &str, args: &[&str]) -> Result<String, String> {
    let output = program(name, args)
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name} {} failed: {why}", args.join(" ")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Installs Python packages, at fixed versions, into an environment of the project's own; the
/// path of one of their programs.
pub(crate) fn python(packages: &[&str], program: &str) -> Result<String, String> {
    let home = root().join("target/python");
    let path = home.join("bin").join(program);
    if !path.exists() {
        let home = home.display().to_string();
        if !Path::new(&home).join("bin/pip").exists()
            && run("python3", &["-m", "venv", &home]).is_err()
        {
            run("apt-get", &["install", "-y", "-qq", "python3-venv"])?;
            run("python3", &["-m", "venv", &home])?;
        }
        let pip = format!("{home}/bin/pip");
        let mut args = vec!["install", "--quiet", "--disable-pip-version-check"];
        args.extend(packages);
        run(&pip, &args)?;
    }
    Ok(path.display().to_string())
}
