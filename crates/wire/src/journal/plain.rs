//! How a domain value stands in JSON, both ways.

use domain::ids::{TypedId as _, Uuid};
use domain::money::{Amount, Currency};
use domain::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A value with a JSON shape.
pub(crate) trait Plain: Sized {
    /// The shape.
    type Json: Serialize + DeserializeOwned;

    fn to_json(&self) -> Self::Json;

    fn from_json(json: Self::Json) -> Result<Self, String>;
}

/// A UUID as text, without an allocation on the way out.
#[derive(Clone, Copy)]
pub(crate) struct UuidText(Uuid);

impl Serialize for UuidText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.hyphenated().encode_lower(&mut [0; 36]))
    }
}

impl<'de> Deserialize<'de> for UuidText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

macro_rules! ids {
    ($($kind:ident)*) => {$(
        impl Plain for domain::ids::$kind {
            type Json = UuidText;

            fn to_json(&self) -> UuidText {
                UuidText(self.uuid())
            }

            fn from_json(json: UuidText) -> Result<Self, String> {
                Ok(Self::from_uuid(json.0))
            }
        }
    )*};
}

ids! {
    ProductId VariantId LocationId CartId OrderId OrderItemId ReservationId PaymentId RefundId
}

macro_rules! as_is {
    ($($kind:ty)*) => {$(
        impl Plain for $kind {
            type Json = $kind;

            fn to_json(&self) -> $kind {
                self.clone()
            }

            fn from_json(json: $kind) -> Result<Self, String> {
                Ok(json)
            }
        }
    )*};
}

as_is! { i64 bool String }

impl Plain for Timestamp {
    type Json = String;

    fn to_json(&self) -> String {
        crate::time::format(*self)
    }

    fn from_json(json: String) -> Result<Self, String> {
        crate::time::parse(&json).ok_or_else(|| format!("{json:?} is no time"))
    }
}

impl Plain for Amount {
    type Json = i64;

    fn to_json(&self) -> i64 {
        self.minor()
    }

    fn from_json(json: i64) -> Result<Self, String> {
        Self::new(json).ok_or_else(|| format!("{json} is out of bounds"))
    }
}

impl Plain for Currency {
    type Json = String;

    fn to_json(&self) -> String {
        self.code().to_owned()
    }

    fn from_json(json: String) -> Result<Self, String> {
        Self::parse(&json).ok_or_else(|| format!("{json:?} is no currency"))
    }
}

/// It is no part of the journal.
impl Plain for domain::payment::PayPage {
    type Json = ();

    fn to_json(&self) {}

    fn from_json((): ()) -> Result<Self, String> {
        Ok(Self::default())
    }
}

impl<T: Plain> Plain for Option<T> {
    type Json = Option<T::Json>;

    fn to_json(&self) -> Self::Json {
        self.as_ref().map(T::to_json)
    }

    fn from_json(json: Self::Json) -> Result<Self, String> {
        json.map(T::from_json).transpose()
    }
}

impl<T: Plain> Plain for Vec<T> {
    type Json = Vec<T::Json>;

    fn to_json(&self) -> Self::Json {
        self.iter().map(T::to_json).collect()
    }

    fn from_json(json: Self::Json) -> Result<Self, String> {
        json.into_iter().map(T::from_json).collect()
    }
}

impl<T: Plain> Plain for Box<T> {
    type Json = T::Json;

    fn to_json(&self) -> Self::Json {
        (**self).to_json()
    }

    fn from_json(json: Self::Json) -> Result<Self, String> {
        T::from_json(json).map(Self::new)
    }
}

impl<A: Plain, B: Plain> Plain for (A, B) {
    type Json = (A::Json, B::Json);

    fn to_json(&self) -> Self::Json {
        (self.0.to_json(), self.1.to_json())
    }

    fn from_json((a, b): Self::Json) -> Result<Self, String> {
        Ok((A::from_json(a)?, B::from_json(b)?))
    }
}

/// States stand in JSON by their names.
macro_rules! named {
    ($($kind:ty)*) => {$(
        impl Plain for $kind {
            type Json = String;

            fn to_json(&self) -> String {
                self.name().to_owned()
            }

            fn from_json(json: String) -> Result<Self, String> {
                Self::parse(&json).ok_or_else(|| format!("{json:?} is unknown"))
            }
        }
    )*};
}

named! {
    domain::catalogue::ProductStatus
    domain::control::Control
    domain::order::OrderStatus
    domain::order::PaymentState
    domain::order::FinancialStatus
    domain::payment::Provider
    domain::payment::PaymentStatus
    domain::payment::Stage
    domain::payment::RefundStatus
    domain::payment::Dispute
    domain::payment::Unearned
    domain::stock::HoldStatus
}
