//! `stockhold key`.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use api::keys::{KeyHasher, generate, shown};
use domain::decide::{IssueKey, RevokeKey};
use domain::ids::KeyId;
use domain::tenant::{ApiKey, KeyKind};
use serde_json::{Value, json};
use wire::views::{KeyView, NewKeyView};

use super::output;
use super::session::Session;
use crate::cli::{KeyArgs, KeyCommand, Kind};
use crate::clock::SystemEntropy;

pub(crate) fn run(args: KeyArgs) -> Result<ExitCode> {
    let mut session = Session::open(&args.database.database)?;
    let as_json = args.database.json;
    match args.what {
        KeyCommand::Create { kind, tenant, name } => {
            create(&mut session, kind, tenant.as_deref(), name, as_json)?;
        }
        KeyCommand::List { tenant } => {
            let keys = session.keys(session.lane(tenant.as_deref())?)?;
            if as_json {
                let views: Vec<_> = keys.iter().map(KeyView::new).collect();
                output::line(&json!(views).to_string());
            } else {
                let rows: Vec<_> = keys.iter().map(row).collect();
                output::table(&["ID", "KIND", "KEY", "NAME", "STATE"], &rows);
            }
        }
        KeyCommand::Revoke { id, tenant } => {
            let key_id: KeyId = id
                .parse()
                .with_context(|| format!("{id:?} is no key's id"))?;
            let tenant_id = session.lane(tenant.as_deref())?;
            let answer = session.run(RevokeKey { tenant_id, key_id }.into())?;
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            output::line(if as_json { &text } else { "Revoked." });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(key: &ApiKey) -> Vec<String> {
    let state = if key.revoked_at.is_some() {
        "revoked"
    } else {
        "active"
    };
    vec![
        key.id.to_string(),
        key.kind.name().to_owned(),
        format!("{}…", key.prefix),
        key.name.clone(),
        state.to_owned(),
    ]
}

fn create(
    session: &mut Session,
    kind: Kind,
    tenant: Option<&str>,
    name: String,
    as_json: bool,
) -> Result<()> {
    let kind = match kind {
        Kind::Secret => KeyKind::Secret,
        Kind::Publishable => KeyKind::Publishable,
        Kind::Platform => KeyKind::Platform,
    };
    if (kind == KeyKind::Platform) != tenant.is_none() {
        bail!("secret and publishable keys want --tenant SLUG, a platform key wants none");
    }
    let key = generate(kind, &SystemEntropy);
    let hash = KeyHasher::new(&session.pepper).hash(&key);
    let tenant_id = session.lane(tenant)?;
    let prefix = shown(&key);
    let answer = session.run(
        IssueKey {
            tenant_id,
            kind,
            name,
            prefix,
            hash,
        }
        .into(),
    )?;
    let view: Value = serde_json::from_slice(&NewKeyView::render(&answer.body, Some(&key)))?;
    if as_json {
        output::line(&view.to_string());
    } else {
        output::line(&key);
        output::line("This key is shown this once: keep it now.");
    }
    Ok(())
}
