//! The weeks of a month.

use jiff::{ToSpan, civil::Date};

/// Returns the weeks of the month of `date`, each from Monday to Sunday. Days of other months are
/// None.
#[must_use]
pub fn weeks(date: Date) -> Vec<[Option<Date>; 7]> {
    let mut weeks = Vec::new();
    let mut week = [None; 7];
    for day in date.first_of_month().series(1.day()) {
        let weekday = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
        if day.month() != date.month() {
            break;
        }
        week[weekday] = Some(day);
        if weekday == 6 {
            weeks.push(std::mem::take(&mut week));
        }
    }
    if week != [None; 7] {
        weeks.push(week);
    }
    weeks
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn weeks_have_each_day_of_the_month_once() {
        for (month, number_of_weeks) in [(date(2027, 2, 10), 4), (date(2025, 3, 31), 6)] {
            let weeks = weeks(month);
            assert_eq!(weeks.len(), number_of_weeks);
            let days: Vec<_> = weeks.iter().flatten().flatten().copied().collect();
            let expected: Vec<_> = month
                .first_of_month()
                .series(1.day())
                .take(usize::from(month.days_in_month().unsigned_abs()))
                .collect();
            assert_eq!(days, expected);
            for week in &weeks {
                for (index, day) in week.iter().enumerate() {
                    let weekday = day.map(|day| day.weekday().to_monday_zero_offset());
                    assert!(weekday.is_none_or(|weekday| usize::try_from(weekday) == Ok(index)));
                }
            }
        }
    }

    #[test]
    fn last_month_of_the_calendar_ends() {
        assert_eq!(weeks(date(9999, 12, 1)).len(), 5);
    }
}
