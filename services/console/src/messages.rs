//! Texts of the pages, one file per language in `messages/`.

use std::{collections::HashMap, sync::LazyLock};

type Messages = HashMap<String, String>;

static ENGLISH: LazyLock<Messages> = LazyLock::new(|| read(include_str!("../messages/en.toml")));
static GERMAN: LazyLock<Messages> = LazyLock::new(|| read(include_str!("../messages/de.toml")));

/// Reads a file of sections, whose entries become `section.name`.
fn read(file: &str) -> Messages {
    // A test reads both files, which are part of the binary.
    let sections: HashMap<String, Messages> = toml::from_str(file).unwrap_or_default();
    let entries = sections.into_iter().flat_map(|(section, messages)| {
        messages
            .into_iter()
            .map(move |(name, text)| (format!("{section}.{name}"), text))
    });
    entries.collect()
}

/// Language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Returns the language with this BCP 47 tag, of which the region does not matter.
    #[must_use]
    pub fn by_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', ';']).next()?.trim();
        Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// Returns the first known language of `Accept-Language`. Browsers list the preferred language
    /// first, so weights are not compared.
    #[must_use]
    pub fn preferred(accept_language: &str) -> Self {
        accept_language
            .split(',')
            .find_map(Self::by_tag)
            .unwrap_or_default()
    }

    /// Returns the BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Returns the name of the language in the language itself.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// Returns a text. Tests ensure that each key exists in both languages.
    #[must_use]
    pub fn text(self, key: &'static str) -> &'static str {
        self.messages().get(key).map_or(key, String::as_str)
    }

    /// Returns the text with this name in a section that has a text for each value of an enum.
    /// Tests ensure that each value has one.
    #[must_use]
    pub fn text_in(self, section: &str, name: &str) -> &'static str {
        let text = self.messages().get(&format!("{section}.{name}"));
        text.map_or("", String::as_str)
    }

    /// Returns a text in which the values replace `{name}`.
    #[must_use]
    pub fn with(self, key: &'static str, values: &[(&str, &str)]) -> String {
        let mut rest = self.text(key);
        let mut text = String::new();
        // Replace in one pass, so that braces in a value are kept.
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            let value = values.iter().find(|(known, _)| *known == name);
            text.push_str(value.map_or("", |(_, value)| value));
            rest = after;
        }
        text + rest
    }

    fn messages(self) -> &'static Messages {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use regex::Regex;
    use rollcall_store::exceptions::Kind;

    use super::*;
    use crate::exceptions::words::Section;

    fn sources(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(&path, text);
            } else {
                text.push_str(&fs::read_to_string(path).expect("a file"));
            }
        }
    }

    fn placeholders(text: &str) -> BTreeSet<String> {
        let name = Regex::new(r"\{(\w+)\}").expect("a pattern");
        name.captures_iter(text)
            .map(|found| found[1].to_owned())
            .collect()
    }

    #[test]
    fn languages_have_the_same_keys_with_the_same_placeholders() {
        let keys = |messages: &Messages| messages.keys().cloned().collect::<BTreeSet<_>>();
        assert!(!ENGLISH.is_empty());
        assert_eq!(keys(&ENGLISH), keys(&GERMAN));
        for (key, text) in ENGLISH.iter() {
            assert_eq!(placeholders(text), placeholders(&GERMAN[key]), "{key}");
        }
    }

    fn keys_of_kinds(section: Section) -> [String; Kind::ALL.len()] {
        Kind::ALL.map(|(name, _)| format!("{}.{name}", section.as_str()))
    }

    #[test]
    fn each_key_is_used_and_each_used_key_exists() {
        let mut source = String::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut source,
        );
        let of_kinds: BTreeSet<_> = Section::ALL.into_iter().flat_map(keys_of_kinds).collect();
        assert!(of_kinds.iter().all(|key| ENGLISH.contains_key(key)));
        for key in ENGLISH.keys().filter(|key| !of_kinds.contains(*key)) {
            assert!(source.contains(&format!("\"{key}\"")), "{key} is not used");
        }
        let is_section = |name: &str| {
            let mut keys = ENGLISH.keys();
            keys.any(|key| {
                key.split_once('.')
                    .is_some_and(|(section, _)| section == name)
            })
        };
        let text = Regex::new(r#""(([a-z_]+)\.[a-z_0-9]+)""#).expect("a pattern");
        for found in text.captures_iter(&source) {
            let is_known = ENGLISH.contains_key(&found[1]);
            assert!(
                is_known || !is_section(&found[2]),
                "{} is missing",
                &found[1]
            );
        }
    }

    #[test]
    fn values_replace_placeholders_once() {
        let text = Language::English.with("error.forbidden", &[("scope", "{scope}")]);
        assert!(text.contains("{scope}"), "{text}");
        assert_eq!(Language::preferred("fr, de-AT;q=0.8, en"), Language::German);
        assert_eq!(Language::preferred("fr"), Language::English);
    }
}
