//! The delay that a server asks for (RFC 9110 section 10.2.3). Knows no answer and no attempt.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest delay that is obeyed. A server's mistake must not keep clients away for days.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

const DAY_SECS: u64 = 86_400;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The delay in the header `Retry-After`. Names are in lower case. A date is compared with the server's clock if the
/// header `Date` has it, because the device's clock may be wrong.
pub(super) fn retry_after<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Duration> {
    let (mut asked, mut date) = (None, None);
    for (name, value) in headers {
        match name {
            "retry-after" => asked = asked.or(Some(value.trim())),
            "date" => date = date.or_else(|| parse_date(value)),
            _ => {}
        }
    }
    let asked = asked?;
    let seconds = match !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
        true => asked.parse().unwrap_or(u64::MAX),
        false => {
            let device = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            parse_date(asked)?.saturating_sub(date.unwrap_or_else(device))
        }
    };
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

/// Parses a date in any form of RFC 9110 section 5.6.7. Returns the seconds since 1970.
fn parse_date(text: &str) -> Option<u64> {
    let words: Vec<&str> = text.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, time) = match words.as_slice() {
        [_, day, month, year, time, "GMT"] => (day, month, year, time),
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let month = (1..).zip(MONTHS).find(|(_, name)| name == month)?.0;
    let year = match (year.len(), number(year)?) {
        (2, year @ 70..) => 1_900 + year,
        (2, year) => 2_000 + year,
        (4, year @ 1_970..) => year,
        _ => return None,
    };
    let mut parts = time.split(':').map(number);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let day = number(day).filter(|day| (1..=31).contains(day))?;
    // 60 is a leap second.
    if hour > 23 || minute > 59 || second > 60 || parts.next().is_some() {
        return None;
    }
    Some(days_since_1970(year, month, day) * DAY_SECS + hour * 3_600 + minute * 60 + second)
}

/// At most four digits.
fn number(text: &str) -> Option<u64> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Uses the Gregorian calendar with years that begin in March. A leap day is then the last day of its year.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_three_forms_of_dates() {
        for text in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(parse_date(text), Some(784_111_777), "{text}");
        }
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
        ] {
            assert_eq!(parse_date(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "soon",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn reads_seconds_and_dates_by_the_servers_clock() {
        const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let of = |headers: &[(&'static str, &'static str)]| retry_after(headers.iter().copied());
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(of(&[("retry-after", " 2 "), ("retry-after", "9")]), seconds(2));
        assert_eq!(of(&[DATE, ("retry-after", "Sun, 06 Nov 1994 08:50:00 GMT")]), seconds(23));
        assert_eq!(of(&[("retry-after", "Sun, 06 Nov 1994 08:49:36 GMT"), DATE]), seconds(0));
        // By the device's clock the date is long past.
        assert_eq!(of(&[("retry-after", "Sun, 06 Nov 1994 08:50:00 GMT")]), seconds(0));
        for long in ["3601", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(of(&[("retry-after", long)]), Some(RETRY_AFTER_MAX), "{long}");
        }
        for none in ["", "-1", "1.5", "+2", "soon"] {
            assert_eq!(of(&[DATE, ("retry-after", none)]), None, "{none}");
        }
        assert_eq!(of(&[DATE]), None);
    }
}
