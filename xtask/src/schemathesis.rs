//! Schemathesis against a server without a demo, with the keys of two tenants.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use crate::tools::{output, program, python, root, run as run_program, say};

/// Seconds that it may take.
const TIME_MAX: &str = "200";

/// A server that is ended when this is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs it.
pub(crate) fn run() -> Result<(), String> {
    let st = python(&["schemathesis==4.32.5"], "st")?;
    let folder = root().join("target/schemathesis");
    drop(std::fs::remove_dir_all(&folder));
    let io = |error: std::io::Error| error.to_string();
    std::fs::create_dir_all(&folder).map_err(io)?;
    let database = format!("sqlite:{}", folder.join("shop.db").display());
    let binary = root()
        .join("target/release/stockhold")
        .display()
        .to_string();
    let stockhold = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(["--json", "--database", &database]);
        output(&binary, &all)
    };
    stockhold(&["migrate", "up"])?;
    let mut keys = Vec::new();
    for slug in ["one", "two"] {
        stockhold(&["tenant", "create", slug])?;
        let made = stockhold(&["key", "create", "secret", "--tenant", slug])?;
        keys.push(member(&made, "key")?);
    }
    let (server, address) = serve(&binary, &database)?;
    let auth = folder.join("auth.yaml");
    let of = |name: &str, key: &str| {
        format!(
            "  - {{name: {name}, fixedHeaders: [{{name: Authorization, value: \"Bearer {key}\"}}]}}\n"
        )
    };
    let yaml = format!("auth:\n{}{}", of("one", &keys[0]), of("two", &keys[1]));
    std::fs::write(&auth, yaml).map_err(io)?;
    let settings = std::fs::read_to_string(root().join("xtask/schemathesis.toml")).map_err(io)?;
    let settings = settings.replace("AUTH_FILE", &auth.display().to_string());
    let config = folder.join("schemathesis.toml");
    std::fs::write(&config, settings).map_err(io)?;
    let tested = run_program(
        &st,
        &[
            "--config-file",
            &config.display().to_string(),
            "run",
            &format!("{address}/openapi.json"),
            "--phases",
            "examples,coverage,fuzzing,stateful",
            "--checks",
            "all",
            // DELETE cancels an order and archives a product; the contract keeps both readable.
            "--exclude-checks",
            "use_after_free",
            // A shop that is put into read-only mode refuses every request that follows.
            "--exclude-operation-id",
            "move_controls",
            "--exclude-operation-id",
            "move_tenant_controls",
            // It cannot write lines of JSON; `import/lines.rs` does.
            "--exclude-operation-id",
            "import_products",
            "-n",
            "15",
            "--seed",
            "1",
            "--max-time",
            TIME_MAX,
            "--continue-on-failure",
            "--request-timeout",
            "5",
        ],
    );
    drop(server);
    tested?;
    let audit = stockhold(&["audit"])?;
    say(&audit);
    Ok(())
}

fn serve(binary: &str, database: &str) -> Result<(Server, String), String> {
    let args = [
        "serve",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--rate-limit",
        "0",
    ];
    let mut command = program(binary, &args);
    command
        .args(["--database", database])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let stdout = child.stdout.take().ok_or("no standard output")?;
    let server = Server(child);
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .map_err(|error| error.to_string())?;
    Ok((server, member(&line, "listening")?))
}

/// A text member of a flat JSON object.
fn member(json: &str, name: &str) -> Result<String, String> {
    let from = format!("\"{name}\":\"");
    let rest = json
        .split(&from)
        .nth(1)
        .ok_or_else(|| format!("no {name} in {json}"))?;
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}
