//! Rules of the layout that no compiler knows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::tools::{output, root};

/// Which of our crates each may depend on (ARCHITECTURE.md).
const EDGES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("engine", &["domain"]),
    ("rows", &["domain", "engine"]),
    ("store-sqlite", &["domain", "engine", "rows"]),
    ("store-postgres", &["domain", "engine", "rows"]),
    ("throwaway", &[]),
    ("wire", &["domain", "engine"]),
    ("outbound", &["domain", "engine", "wire"]),
    ("cache", &["domain"]),
    ("api", &["cache", "domain", "engine", "wire"]),
    ("sim", &["domain", "engine"]),
    (
        "app",
        &[
            "api",
            "cache",
            "domain",
            "engine",
            "outbound",
            "rows",
            "store-postgres",
            "store-sqlite",
            "wire",
        ],
    ),
    (
        "bench",
        &[
            "api",
            "app",
            "domain",
            "engine",
            "outbound",
            "rows",
            "sim",
            "store-postgres",
            "store-sqlite",
            "throwaway",
            "wire",
        ],
    ),
];
/// Lines of a file, and of the median file.
const LINES_MAX: usize = 600;
const MEDIAN_MAX: usize = 200;

/// Checks every rule; the error lists what breaks one.
pub(crate) fn check() -> Result<(), String> {
    let mut broken = Vec::new();
    edges(&mut broken)?;
    let files: Vec<PathBuf> = output("git", &["ls-files", "*.rs"])?
        .lines()
        .map(|line| root().join(line))
        .filter(|path| path.exists())
        .collect();
    sizes(&files, &mut broken)?;
    links(&mut broken)?;
    if broken.is_empty() {
        Ok(())
    } else {
        Err(broken.join("\n"))
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The names that stand under `[dependencies]`.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let section = manifest
        .split("\n[dependencies]")
        .nth(1)
        .unwrap_or_default();
    let lines = section
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    let name = |line: &str| {
        let end = line.find(['.', ' ', '='])?;
        Some(line[..end].to_owned()).filter(|name| !name.is_empty() && !name.starts_with('#'))
    };
    lines.filter_map(name).collect()
}

fn edges(broken: &mut Vec<String>) -> Result<(), String> {
    let ours: BTreeSet<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in EDGES {
        let manifest = read(&root().join("crates").join(name).join("Cargo.toml"))?;
        for dependency in dependencies(&manifest) {
            if ours.contains(dependency.as_str()) && !allowed.contains(&dependency.as_str()) {
                broken.push(format!("{name} must not depend on {dependency}"));
            }
        }
        if !manifest.contains("[lints]\nworkspace = true") {
            broken.push(format!("{name} does not take the workspace's lints"));
        }
    }
    Ok(())
}

fn sizes(files: &[PathBuf], broken: &mut Vec<String>) -> Result<(), String> {
    let mut counts = Vec::new();
    for path in files {
        let lines = read(path)?.lines().count();
        if lines > LINES_MAX {
            broken.push(format!(
                "{} has {lines} lines, {LINES_MAX} at most",
                path.display()
            ));
        }
        counts.push(lines);
    }
    counts.sort_unstable();
    let median = counts.get(counts.len() / 2).copied().unwrap_or(0);
    if median > MEDIAN_MAX {
        broken.push(format!(
            "the median file has {median} lines, {MEDIAN_MAX} at most"
        ));
    }
    Ok(())
}

/// Links between our own pages resolve.
fn links(broken: &mut Vec<String>) -> Result<(), String> {
    for page in output("git", &["ls-files", "*.md"])?.lines() {
        let path = root().join(page);
        if !path.exists() {
            continue;
        }
        let text = read(&path)?;
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = target.split('#').next().unwrap_or_default();
            let inside = !file.is_empty() && !file.contains("://") && !file.contains(' ');
            let folder = path.parent().unwrap_or(Path::new(""));
            if inside && !folder.join(file).exists() {
                broken.push(format!("{page} links to {file}, which is not there"));
            }
        }
    }
    Ok(())
}
