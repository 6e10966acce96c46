//! Comma-separated values (RFC 4180) that a spreadsheet opens without running anything.

use actix_web::HttpResponseBuilder;
use actix_web::http::header::{self, HeaderValue};

/// One line of cells.
pub(crate) fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut line = String::new();
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        push_cell(&mut line, cell);
    }
    line.push_str("\r\n");
    line
}

/// Spreadsheets take a cell that begins with one of these for a formula, and a formula can send what
/// stands beside it anywhere. A quote before it makes it a text (OWASP, "CSV Injection"); a plain number
/// may begin with its sign. A cell can begin within one of ours, too: where the comma separates decimals, spreadsheets
/// part a line at semicolons, and quotes that do not stand at its beginning hold nothing together for them.
fn push_cell(line: &mut String, cell: &str) {
    let mut written = String::with_capacity(cell.len());
    for (number, part) in cell.split_inclusive(PARTING).enumerate() {
        let shown = part.trim_start_matches([' ', '"']);
        let begins = shown.starts_with(['=', '+', '-', '@'])
            || number == 0 && part.starts_with(['\t', '\r', '\n']);
        if begins && !is_number(shown.trim_end_matches(PARTING)) {
            written.push('\'');
        }
        written.push_str(part);
    }
    if written == cell && !cell.contains([',', '"', '\r', '\n']) {
        line.push_str(cell);
        return;
    }
    line.push('"');
    line.push_str(&written.replace('"', "\"\""));
    line.push('"');
}

/// What can end a cell for one spreadsheet or another.
const PARTING: [char; 4] = [';', '\t', '\r', '\n'];

fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// Makes an answer a file of that name, which is a plain word.
pub(crate) fn attach<'a>(
    response: &'a mut HttpResponseBuilder,
    name: &str,
) -> &'a mut HttpResponseBuilder {
    response.content_type("text/csv; charset=utf-8; header=present");
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}.csv\"")) {
        response.insert_header((header::CONTENT_DISPOSITION, value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn nothing_in_a_cell_is_a_formula_and_numbers_stay_numbers() {
        for (cell, written) in [
            ("", ""),
            ("mrr", "mrr"),
            ("47.5", "47.5"),
            ("-47.5", "-47.5"),
            ("-3", "-3"),
            ("a,b", "\"a,b\""),
            ("say \"so\"", "\"say \"\"so\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "\"'=1+1\""),
            ("+49 30", "\"'+49 30\""),
            ("-2+3+cmd|' /C calc'!A0", "\"'-2+3+cmd|' /C calc'!A0\""),
            ("-", "\"'-\""),
            ("-1.", "\"'-1.\""),
            ("-1e9", "\"'-1e9\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t'=1\""),
            ("\r=1", "\"'\r'=1\""),
            ("x;=1+cmd|'/C calc'!A0", "\"x;'=1+cmd|'/C calc'!A0\""),
            ("x; @SUM(A1)", "\"x;' @SUM(A1)\""),
            ("x\t+1-", "\"x\t'+1-\""),
            ("two\n=1", "\"two\n'=1\""),
            ("x;\"=1+1;y", "\"x;'\"\"=1+1;y\""),
            ("one\r\ntwo", "\"one\r\ntwo\""),
            ("a;b", "a;b"),
            ("a;-3;b", "a;-3;b"),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
        ] {
            assert_eq!(row([cell, "x"]), format!("{written},x\r\n"), "{cell:?}");
        }
    }
}
