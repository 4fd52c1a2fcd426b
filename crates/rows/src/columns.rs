//! Values that come out of a database, one after another.

use domain::ids::{TypedId, Uuid};
use domain::money::{Amount, Currency};
use domain::time::Timestamp;

/// The columns of one row, read in their order. A driver gives the first six; the rest says what
/// they mean.
pub trait Columns {
    /// The driver's error.
    type Error;

    /// The next column's id.
    fn uuid(&mut self) -> Result<Option<Uuid>, Self::Error>;
    /// What `read` makes of the next column's text.
    fn text_with<T>(&mut self, read: impl FnOnce(Option<&str>) -> T) -> Result<T, Self::Error>;
    /// The next column's number.
    fn maybe_int(&mut self) -> Result<Option<i64>, Self::Error>;
    /// The next column's flag.
    fn maybe_flag(&mut self) -> Result<Option<bool>, Self::Error>;
    /// The next column's bytes.
    fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>, Self::Error>;
    /// That the column just read does not hold what it must.
    fn unreadable(&self, wanted: &'static str) -> Self::Error;

    /// An id that must be there.
    fn id<I: TypedId>(&mut self) -> Result<I, Self::Error> {
        self.maybe_id()?.ok_or_else(|| self.unreadable("an id"))
    }

    /// An id.
    fn maybe_id<I: TypedId>(&mut self) -> Result<Option<I>, Self::Error> {
        Ok(self.uuid()?.map(I::from_uuid))
    }

    /// Text.
    fn maybe_text(&mut self) -> Result<Option<String>, Self::Error> {
        self.text_with(|text| text.map(str::to_owned))
    }

    /// Text that must be there.
    fn text(&mut self) -> Result<String, Self::Error> {
        self.maybe_text()?.ok_or_else(|| self.unreadable("text"))
    }

    /// A number that must be there.
    fn int(&mut self) -> Result<i64, Self::Error> {
        self.maybe_int()?.ok_or_else(|| self.unreadable("a number"))
    }

    /// A flag that must be there.
    fn flag(&mut self) -> Result<bool, Self::Error> {
        self.maybe_flag()?.ok_or_else(|| self.unreadable("a flag"))
    }

    /// As many bytes as it must be.
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Self::Error> {
        let bytes = self.maybe_bytes()?.unwrap_or_default();
        bytes
            .try_into()
            .map_err(|_| self.unreadable("bytes of a known length"))
    }

    /// A time that must be there.
    fn time(&mut self) -> Result<Timestamp, Self::Error> {
        self.int().map(Timestamp::from_millis)
    }

    /// A time.
    fn maybe_time(&mut self) -> Result<Option<Timestamp>, Self::Error> {
        Ok(self.maybe_int()?.map(Timestamp::from_millis))
    }

    /// An amount that must be there.
    fn amount(&mut self) -> Result<Amount, Self::Error> {
        self.maybe_amount()?
            .ok_or_else(|| self.unreadable("an amount"))
    }

    /// An amount.
    fn maybe_amount(&mut self) -> Result<Option<Amount>, Self::Error> {
        let Some(minor) = self.maybe_int()? else {
            return Ok(None);
        };
        let amount = Amount::new(minor);
        amount
            .map(Some)
            .ok_or_else(|| self.unreadable("an amount within bounds"))
    }

    /// A currency that must be there.
    fn currency(&mut self) -> Result<Currency, Self::Error> {
        self.name(Currency::parse)
    }

    /// A currency.
    fn maybe_currency(&mut self) -> Result<Option<Currency>, Self::Error> {
        let read = self.text_with(|code| code.map(Currency::parse))?;
        match read {
            None => Ok(None),
            Some(None) => Err(self.unreadable("a currency")),
            Some(known) => Ok(known),
        }
    }

    /// A state by its name.
    fn name<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Self::Error> {
        self.text_with(|name| name.and_then(parse))?
            .ok_or_else(|| self.unreadable("a known name"))
    }

    /// A list that is stored as JSON.
    fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Self::Error> {
        self.text_with(|text| text.and_then(|text| serde_json::from_str(text).ok()))?
            .ok_or_else(|| self.unreadable("a list"))
    }
}
