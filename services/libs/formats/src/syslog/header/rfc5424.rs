//! Headers of RFC 5424, section 6.

use super::{Header, stamp};
use crate::{
    record::Record,
    scan::{closing_quote, unescaped},
    syslog::{Context, StructuredData},
};

/// Characters that a backslash escapes in the value of a parameter (RFC 5424, section 6.3.3).
const ESCAPED: &str = "\"\\]";

/// Reads a message from its version on. Returns `None` if the message has another form.
pub(super) fn read<'a>(message: &'a str, context: &Context) -> Option<Header<'a>> {
    let mut rest = message.strip_prefix("1 ")?;
    let mut next = || {
        let (token, after) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = after;
        (!token.is_empty()).then_some(token)
    };
    let at = match next()? {
        "-" => None,
        text => {
            let stamp = stamp::read(text, &context.zone, context.received_at)?;
            stamp.rest.is_empty().then_some(stamp.at).map(Some)?
        }
    };
    let (host, app, process, _message_id) = (next()?, next()?, next()?, next()?);
    let (elements, text) = match rest.strip_prefix('-') {
        Some(text) if text.is_empty() || text.starts_with(' ') => (Vec::new(), text),
        _ => match elements(rest) {
            Some((elements, text)) if !text.is_empty() => (elements, text),
            Some((elements, _)) => (elements, rest),
            // Some gateways write their own form in the place of structured data.
            None => (Vec::new(), rest),
        },
    };
    // A text in UTF-8 begins with a byte order mark (section 6.4).
    let text = text.trim_start().trim_start_matches('\u{feff}');
    let record = Record {
        at,
        host,
        app,
        process,
        text,
    };
    Some(Header {
        record,
        elements,
        is_recognized: true,
    })
}

/// Reads the elements of structured data. Returns them and the text after them.
fn elements(mut rest: &str) -> Option<(Vec<StructuredData<'_>>, &str)> {
    let mut elements = Vec::new();
    while let Some(inner) = rest.strip_prefix('[') {
        let end = inner.find([' ', ']'])?;
        let (id, mut inner) = inner.split_at(end);
        let mut params = Vec::new();
        while let Some(param) = inner.strip_prefix(' ') {
            let param = param.trim_start_matches(' ');
            if param.starts_with(']') {
                inner = param;
                break;
            }
            let (name, value) = param.split_once("=\"")?;
            let end = closing_quote(value, '"')?;
            params.push((name, unescaped(&value[..end], ESCAPED)));
            inner = &value[end + 1..];
        }
        rest = inner.strip_prefix(']')?;
        elements.push(StructuredData { id, params });
    }
    let is_complete = !elements.is_empty() && (rest.is_empty() || rest.starts_with(' '));
    is_complete.then_some((elements, rest))
}
