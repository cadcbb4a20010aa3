//! Visitors of serde whose errors say what a field accepts.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::accepted;
use crate::{field_error, quote::quoted};

/// Accepts an object.
pub(super) struct ObjectVisitor<T> {
    accepted: &'static str,
    object: PhantomData<T>,
}

impl<T> ObjectVisitor<T> {
    pub(super) fn new(accepted: &'static str) -> Self {
        Self {
            accepted,
            object: PhantomData,
        }
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.accepted)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map_err(|error| {
            field_error::missing(&error.to_string())
                .and_then(|field| Some((field, accepted::<T>(field)?)))
                .map(|(field, accepted)| field_error::missing_text(field, &accepted))
                .map_or(error, A::Error::custom)
        })
    }
}

/// Accepts a text that `parse` accepts.
pub(super) struct TextVisitor<P> {
    pub(super) accepted: &'static str,
    pub(super) parse: P,
}

impl<T, P: FnOnce(&str) -> Option<T>> Visitor<'_> for TextVisitor<P> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.accepted)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let Self { accepted, parse } = self;
        let message = || format!("must be {accepted} (got {})", quoted(text));
        parse(text).ok_or_else(|| E::custom(message()))
    }
}
