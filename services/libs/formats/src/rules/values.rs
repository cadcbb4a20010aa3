//! Values for placeholders and conditions.

use std::borrow::Cow;

use super::{file::Aliases, input::Fields};
use crate::record::Record;

/// The fields of a record, and its host, program and process.
pub(super) struct Values<'a> {
    pub(super) record: &'a Record<'a>,
    pub(super) fields: &'a Fields<'a, 'a>,
    pub(super) aliases: &'a Aliases,
}

/// Names of the values that every record has.
pub(super) const OF_EVERY_RECORD: [&str; 3] = ["host", "app", "process"];

impl Values<'_> {
    /// Returns a value. A value that is absent is empty.
    pub(super) fn get(&self, name: &str) -> Cow<'_, str> {
        let own = self.fields.get(name);
        own.or_else(|| self.of_alias(name)).unwrap_or_else(|| {
            let value = match name {
                "host" => self.record.host,
                "app" => self.record.app,
                "process" => self.record.process,
                _ => "",
            };
            value.into()
        })
    }

    fn of_alias(&self, name: &str) -> Option<Cow<'_, str>> {
        let fields = self.aliases.get(name)?.iter();
        let mut values = fields.filter_map(|field| self.fields.get(field));
        values.find(|value| !value.is_empty())
    }
}
