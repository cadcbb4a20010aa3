//! Names of users and realms: the form in which they are compared, and the form in which they are
//! shown.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{
    CodePointSetData,
    props::{BidiControl, DefaultIgnorableCodePoint},
};
use precis_core::profile::Rules;
use precis_profiles::UsernameCaseMapped;

/// Returns the form in which names are compared.
///
/// This is the NFC form (UAX #15) of the lower-cased and width-mapped name (RFC 8265, section
/// 3.3.1) without default-ignorable and bidi-control characters (UAX #44). So names that differ
/// only in case, in width, in composition or in invisible characters are equal. The form is empty
/// for a name of invisible characters alone.
#[must_use]
pub fn normalize(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let visible = without_invisible(name);
    let mapped = width_mapped(&visible).to_lowercase();
    ComposingNormalizerBorrowed::new_nfc()
        .normalize(&mapped)
        .into_owned()
}

/// Returns the form in which a name is shown, which is the name without bidi-control characters.
/// These could make the rest of a page read in the other direction.
#[must_use]
pub fn displayed(name: &str) -> String {
    let bidi_control = CodePointSetData::new::<BidiControl>();
    name.chars()
        .filter(|character| !bidi_control.contains(*character))
        .collect()
}

/// Removes the default-ignorable characters. All bidi controls are among them.
fn without_invisible(name: &str) -> String {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    name.chars()
        .filter(|character| !ignorable.contains(*character))
        .collect()
}

/// Maps fullwidth and halfwidth characters to their usual form. The rule itself cannot fail; its
/// error belongs to the other rules of the profile.
fn width_mapped(name: &str) -> Cow<'_, str> {
    UsernameCaseMapped::new()
        .width_mapping_rule(name)
        .unwrap_or(Cow::Borrowed(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_look_alike_have_one_normalized_form() {
        for (name, other) in [
            ("Amy", "aMY"),
            ("ÄRGER", "a\u{308}rger"),
            ("ａｍｙ", "AMY"),
            ("ｶﾞ", "ガ"),
            ("a\u{200b}m\u{ad}y", "amy"),
            ("\u{202e}amy\u{2069}", "amy"),
            ("STRASSE", "strasse"),
        ] {
            assert_eq!(normalize(name), normalize(other), "{name:?} {other:?}");
        }
    }

    #[test]
    fn names_that_differ_visibly_have_different_normalized_forms() {
        for (name, other) in [
            ("straße", "strasse"),
            ("amy", "а\u{43c}y"),
            ("o", "ö"),
            ("1", "①"),
        ] {
            assert_ne!(normalize(name), normalize(other), "{name:?} {other:?}");
        }
    }

    #[test]
    fn all_bidi_controls_are_default_ignorable() {
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        let mut controls = CodePointSetData::new::<BidiControl>()
            .iter_ranges()
            .flatten();
        assert!(controls.all(|character| ignorable.contains32(character)));
    }

    #[test]
    fn displayed_removes_bidi_controls_and_nothing_else() {
        assert_eq!(displayed("\u{202e}A\u{200f}m\u{200b}y"), "Am\u{200b}y");
    }

    proptest! {
        #[test]
        fn normalize_is_idempotent(name in "\\PC{0,12}") {
            let normalized = normalize(&name);
            prop_assert_eq!(normalize(&normalized), normalized);
        }

        #[test]
        fn normalize_ignores_case_and_invisible_characters(name in "[a-zäöüA-ZÄÖÜ가-힣]{0,12}") {
            let upper = name.to_uppercase();
            let other: String = upper.chars().flat_map(|one| [one, '\u{200b}']).collect();
            prop_assert_eq!(normalize(&other), normalize(&name));
        }
    }
}
