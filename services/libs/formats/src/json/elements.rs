//! The elements of a JSON array, counted while they are read.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// Reads the texts of an array's elements, or none when there are more than so many.
pub(super) struct Elements(pub(super) usize);

impl<'de> DeserializeSeed<'de> for Elements {
    type Value = Option<Vec<&'de str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements {
    type Value = Option<Vec<&'de str>>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element::<&RawValue>()? {
            if elements.len() == self.0 {
                // Read to its end: serde_json takes a visitor that stops before for an error of the
                // JSON.
                while array.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
            elements.push(element.get());
        }
        Ok(Some(elements))
    }
}
