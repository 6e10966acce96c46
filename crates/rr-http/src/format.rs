//! In which form an answer is wanted.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};
use serde::Serialize;

use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::query::Query;

/// A form that lists of numbers come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    Json,
    /// Comma-separated values, for spreadsheets.
    Csv,
    /// A JSON object a line, for pipes.
    Ndjson,
}

impl Format {
    /// What the parameter `format` says, else what `Accept` likes best, else JSON.
    pub(crate) fn of(request: &HttpRequest, query: &Query<'_>) -> Outcome<Format> {
        match query.text("format")?.as_deref() {
            None => Ok(accepted(request.headers())),
            Some("json") => Ok(Format::Json),
            Some("csv") => Ok(Format::Csv),
            Some("ndjson") => Ok(Format::Ndjson),
            Some(_) => Err(Problem::unusable("format", "must be json, csv or ndjson")),
        }
    }

    /// One letter, for tags.
    pub(crate) fn letter(self) -> char {
        match self {
            Format::Json => 'j',
            Format::Csv => 'c',
            Format::Ndjson => 'n',
        }
    }
}

/// Each as a JSON object on a line of its own.
pub(crate) fn lines<T: Serialize>(items: impl IntoIterator<Item = T>) -> Outcome<Vec<u8>> {
    let mut text = Vec::new();
    for item in items {
        serde_json::to_writer(&mut text, &item).map_err(|error| {
            tracing::error!(%error, "a line could not be written as JSON");
            Problem::new(Code::Internal)
        })?;
        text.push(b'\n');
    }
    Ok(text)
}

/// The first of the best (RFC 9110 §12.5.1). What we do not have is passed over: JSON is better than a
/// refusal.
pub(crate) fn accepted(headers: &HeaderMap) -> Format {
    let ranges = headers
        .get_all(header::ACCEPT)
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    let mut best = (0, Format::Json);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let format = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/json" | "application/*" | "*/*" => Format::Json,
            "text/csv" => Format::Csv,
            "application/x-ndjson" | "application/ndjson" => Format::Ndjson,
            _ => continue,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1_000, thousandths);
        if quality > best.0 {
            best = (quality, format);
        }
    }
    best.1
}

/// `0.5` as 500; what is no such number is nothing.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    if fraction.len() > 3 {
        return 0;
    }
    format!("{whole}{fraction:0<3}").parse().map_or(0, |quality: u32| quality.min(1_000))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn the_best_form_that_we_have_is_chosen() {
        for (sent, expected) in [
            ("", Format::Json),
            ("*/*", Format::Json),
            ("text/html", Format::Json),
            ("text/csv", Format::Csv),
            ("Text/CSV; header=present", Format::Csv),
            ("application/x-ndjson", Format::Ndjson),
            ("text/csv;q=0.5, application/json", Format::Json),
            ("application/json;q=0.2, text/csv;q=0.25, */*;q=0.1", Format::Csv),
            ("text/csv;q=0, text/html", Format::Json),
            ("text/csv;q=x", Format::Json),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_str(sent).unwrap());
            assert_eq!(accepted(&headers), expected, "{sent}");
        }
        assert_eq!(accepted(&HeaderMap::new()), Format::Json);
    }
}
