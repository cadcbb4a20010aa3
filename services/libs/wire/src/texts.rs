//! Deserializes the value of a field from a text, for formats that have no other type.

use serde::{
    Deserializer,
    de::{Error, IntoDeserializer, Unexpected, Visitor, value},
    forward_to_deserialize_any,
};

/// The text of a field. An integer is parsed.
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl<'de> IntoDeserializer<'de> for Text<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        let number = self.0.parse();
        visitor
            .visit_i64(number.map_err(|_| Error::invalid_value(Unexpected::Str(self.0), &"i64"))?)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
