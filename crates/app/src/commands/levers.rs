//! The levers of whoever is on call: on a running server over HTTP, else on the database itself.

use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use domain::command::{Command, Reply};
use domain::control::Control;
use domain::decide::{HoldOrder, MoveControls, ReleaseOrder};
use domain::ids::{OrderId, TenantId};
use serde_json::{Value, json};

use super::output;
use super::session::Session;
use crate::cli::{CleanupTo, ExpiryTo, LeverArgs, OrderTo, ReadOnlyTo, StockModeTo};
use crate::remote::Remote;

pub(crate) fn expiry(to: ExpiryTo, lever: &LeverArgs) -> Result<ExitCode> {
    let (control, word) = match to {
        ExpiryTo::Suspend => (Control::ExpirySuspended, "suspended"),
        ExpiryTo::Resume => (Control::ExpiryRunning, "running"),
    };
    pull(lever, control, &json!({"expiry": word}))
}

pub(crate) fn cleanup(to: CleanupTo, lever: &LeverArgs) -> Result<ExitCode> {
    let (control, word) = match to {
        CleanupTo::Pause => (Control::CleanupPaused, "paused"),
        CleanupTo::Resume => (Control::CleanupRunning, "running"),
    };
    pull(lever, control, &json!({"cleanup": word}))
}

pub(crate) fn stock_mode(to: StockModeTo, lever: &LeverArgs) -> Result<ExitCode> {
    let (control, word) = match to {
        StockModeTo::Reserve => (Control::StockReserve, "reserve"),
        StockModeTo::Immediate => (Control::StockImmediate, "immediate"),
    };
    pull(lever, control, &json!({"stock_mode": word}))
}

pub(crate) fn read_only(to: ReadOnlyTo, lever: &LeverArgs) -> Result<ExitCode> {
    let (control, on) = match to {
        ReadOnlyTo::On => (Control::ReadOnly, true),
        ReadOnlyTo::Off => (Control::ReadWrite, false),
    };
    pull(lever, control, &json!({"read_only": on}))
}

/// Shops that a lever is for, wherever they are.
enum Shops {
    /// On a running server: the paths of their controls, with their names.
    Server(Remote, Vec<(String, String)>),
    /// In a database.
    Database(Box<Session>, Vec<(String, TenantId)>),
}

impl Shops {
    fn of(lever: &LeverArgs) -> Result<Self> {
        let slug = lever.shop.tenant.as_deref();
        let Some((url, key)) = lever.shop.server() else {
            let session = open(lever)?;
            let tenants = if lever.all {
                let named = |tenant: domain::tenant::Tenant| (tenant.slug, tenant.id);
                session.tenants()?.into_iter().map(named).collect()
            } else {
                let id = session.only_tenant(slug)?;
                vec![(session.tenant(id)?.slug, id)]
            };
            return Ok(Self::Database(Box::new(session), tenants));
        };
        let remote = Remote::new(url, key)?;
        if slug.is_none() && !lever.all {
            let own = ("shop".to_owned(), "/controls".to_owned());
            return Ok(Self::Server(remote, vec![own]));
        }
        let mut shops = platform_shops(&remote)?;
        shops.retain(|(name, _)| slug.is_none_or(|slug| name == slug));
        if shops.is_empty() {
            bail!("there is no tenant {:?}", slug.unwrap_or_default());
        }
        Ok(Self::Server(remote, shops))
    }
}

/// The database of a shop that no server uses.
fn open(lever: &LeverArgs) -> Result<Session> {
    let mut session = Session::open(&lever.shop.at.database)?;
    session.payment_timeout_minutes = lever.payment_timeout_minutes;
    Ok(session)
}

/// All tenants of a server, by a platform key.
fn platform_shops(remote: &Remote) -> Result<Vec<(String, String)>> {
    let mut shops = Vec::new();
    let mut path = "/admin/tenants?limit=100".to_owned();
    loop {
        let page = remote.get(&path)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for tenant in page["data"].as_array().map_or(&[][..], Vec::as_slice) {
            let controls = format!("/admin/tenants/{}/controls", text(&tenant["id"]));
            shops.push((text(&tenant["slug"]), controls));
        }
        let Some(cursor) = page["next_cursor"].as_str() else {
            return Ok(shops);
        };
        path = format!("/admin/tenants?limit=100&cursor={cursor}");
    }
}

/// Shows the controls of the shops that are meant.
pub(crate) fn show(lever: &LeverArgs) -> Result<ExitCode> {
    match Shops::of(lever)? {
        Shops::Server(remote, shops) => {
            for (name, path) in shops {
                say(lever, &name, &remote.get(&path)?);
            }
        }
        Shops::Database(session, tenants) => {
            for (name, id) in tenants {
                let state = session.load(id)?;
                let body = session.codec.render(&state, Reply::Controls);
                say(lever, &name, &serde_json::from_slice(&body)?);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn pull(lever: &LeverArgs, control: Control, change: &Value) -> Result<ExitCode> {
    match Shops::of(lever)? {
        Shops::Server(remote, shops) => {
            let mut body = change.clone();
            body["reason"] = lever.reason.clone().into();
            if let Some(by) = &lever.by {
                body["by"] = by.clone().into();
            }
            for (name, path) in shops {
                say(lever, &name, &remote.send("PUT", &path, Some(&body))?);
            }
        }
        Shops::Database(mut session, tenants) => {
            for (name, id) in tenants {
                let command = MoveControls {
                    to: vec![control],
                    by: by(lever),
                    reason: lever.reason.clone(),
                };
                let answer = session.run_one(id, command.into())?;
                session.sweep(id)?;
                say(lever, &name, &serde_json::from_slice(&answer.body)?);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Who pulls a lever on a database itself.
fn by(lever: &LeverArgs) -> String {
    let name = lever.by.as_deref().unwrap_or("somebody");
    format!("{name} (command line)")
}

pub(crate) fn order(to: OrderTo, id: &str, lever: &LeverArgs) -> Result<ExitCode> {
    let order_id: OrderId = id.parse().map_err(|_| anyhow!("{id:?} is no order's id"))?;
    let verb = match to {
        OrderTo::Hold => "hold",
        OrderTo::Release => "release",
    };
    let shown = if let Some((url, key)) = lever.shop.server() {
        let mut body = json!({"reason": lever.reason});
        if let Some(by) = &lever.by {
            body["by"] = by.clone().into();
        }
        let path = format!("/orders/{order_id}/{verb}");
        Remote::new(url, key)?.send("POST", &path, Some(&body))?
    } else {
        let mut session = open(lever)?;
        let tenant = session.only_tenant(lever.shop.tenant.as_deref())?;
        let (by, reason) = (by(lever), lever.reason.clone());
        let command: Command = match to {
            OrderTo::Hold => HoldOrder {
                order_id,
                by,
                reason,
            }
            .into(),
            OrderTo::Release => ReleaseOrder {
                order_id,
                by,
                reason,
            }
            .into(),
        };
        let answer = session.run_one(tenant, command)?;
        serde_json::from_slice(&answer.body).context("the answer cannot be read")?
    };
    if lever.shop.json {
        output::line(&shown.to_string());
    } else {
        let since = shown["on_hold_since"].as_str();
        let stands = since.map_or_else(
            || "not on hold".to_owned(),
            |at| format!("on hold since {at}"),
        );
        let (number, status) = (&shown["order_number"], &shown["status"]);
        output::line(&format!("order {number}: {status}, {stands}").replace('"', ""));
    }
    Ok(ExitCode::SUCCESS)
}

fn say(lever: &LeverArgs, name: &str, controls: &Value) {
    if lever.shop.json {
        let mut controls = controls.clone();
        controls["tenant"] = name.into();
        output::line(&controls.to_string());
        return;
    }
    let text = |member: &str| controls[member].as_str().unwrap_or("-").to_owned();
    let writes = if controls["read_only"] == true {
        "refused"
    } else {
        "taken"
    };
    output::line(&format!(
        "{name}: expiry {}, clean-up {}, stock mode {}, writes {writes}",
        text("expiry"),
        text("cleanup"),
        text("stock_mode"),
    ));
}
