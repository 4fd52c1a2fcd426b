//! `stock_reservations`.

use domain::stock::{Hold, HoldStatus};

use crate::cell::{Cell, id};
use crate::columns::Columns;
use crate::table::Kind::{Flag, Id, Int, Text};
use crate::table::{Table, fixed, moves};

/// Holds.
pub const HOLDS: Table = Table {
    name: "stock_reservations",
    key: 2,
    columns: &[
        fixed("order_id", Id),
        fixed("reservation_id", Id),
        fixed("product_id", Id),
        fixed("variant_id", Id),
        fixed("location_id", Id),
        fixed("quantity", Int),
        fixed("deducted", Flag),
        fixed("reserved_at", Int),
        moves("expires_at", Int),
        moves("status", Text),
        fixed("created_at", Int),
        moves("updated_at", Int),
    ],
};

/// Reads a hold.
pub fn read<C: Columns>(c: &mut C) -> Result<Hold, C::Error> {
    let order_id = c.id()?;
    let hold = Hold {
        id: c.id()?,
        order_id,
        product_id: c.id()?,
        variant_id: c.id()?,
        location_id: c.id()?,
        quantity: c.int()?,
        deducted: c.flag()?,
        reserved_at: c.time()?,
        expires_at: c.maybe_time()?,
        status: c.name(HoldStatus::parse)?,
        updated_at: {
            // A hold is made when it is reserved: `created_at` says nothing new.
            c.int()?;
            c.time()?
        },
    };
    Ok(hold)
}

/// The cells of a hold.
#[must_use]
pub fn cells(hold: &Hold) -> Vec<Cell<'_>> {
    vec![
        id(hold.order_id),
        id(hold.id),
        id(hold.product_id),
        id(hold.variant_id),
        id(hold.location_id),
        hold.quantity.into(),
        hold.deducted.into(),
        hold.reserved_at.into(),
        hold.expires_at.into(),
        hold.status.name().into(),
        hold.reserved_at.into(),
        hold.updated_at.into(),
    ]
}
