//! S4 and K9: declared rates beside their numbers, as tables.

use super::*;

#[test]
fn rates_that_follow_and_rates_that_do_not() {
    let table = [
        // numerator, denominator, declared, fit, why
        (102, 126, "92%", Fit::Differs, "X1: 80.95 %"),
        (116, 126, "92%", Fit::Rounded, "X1: the number that was meant"),
        (102, 126, "81%", Fit::Rounded, ""),
        (102, 126, "80%", Fit::Truncated, ""),
        (102, 126, "80.9%", Fit::Truncated, ""),
        (102, 126, "81.0%", Fit::Rounded, ""),
        (102, 126, "80.95%", Fit::Rounded, ""),
        (102, 126, "80.96%", Fit::Differs, "one off in the last digit"),
        (39, 41, "95.1%", Fit::Rounded, "X2: 95.12"),
        (39, 41, "95%", Fit::Rounded, ""),
        (39, 41, "９５．１％", Fit::Rounded, "full width"),
        (39, 41, "0.951", Fit::Rounded, "as a fraction"),
        (142, 142, "100%", Fit::Rounded, "X10"),
        (1_536, 1_669, "92%", Fit::Rounded, "X10"),
        (1_536, 1_660, "92%", Fit::Truncated, "92.53 cut off"),
        (1_536, 1_679, "92%", Fit::Differs, ""),
        (740, 741, "99.87%", Fit::Rounded, "X11"),
        (3_261, 3_261, "100%", Fit::Rounded, ""),
        (2_025, 2_026, "100%", Fit::Rounded, "99.95 rounds up; what is shown never does"),
        (86, 100, "超过85%", Fit::Kept, ""),
        (85, 100, "超过85%", Fit::Differs, ""),
        (85, 100, "85%以上", Fit::Kept, ""),
        (84, 100, "不低于85%", Fit::Differs, ""),
        (5, 0, "92%", Fit::NoBase, ""),
        (9, 1_000, "9‰", Fit::Rounded, ""),
    ];
    for (numerator, denominator, text, fit, why) in table {
        let stated = Stated::read(text).unwrap();
        assert_eq!(
            stated.fits(numerator, denominator),
            fit,
            "{numerator}/{denominator} {text} {why}"
        );
    }
    for text in ["", "大多数", "92", "九成", "-5%", "5.%", "1234567890123%"] {
        assert_eq!(Stated::read(text), None, "{text}");
    }
}

#[test]
fn a_rate_names_the_numbers_that_would_make_it() {
    let over = |text: &str, base| Stated::read(text).unwrap().numerators(base);
    assert_eq!(over("92%", 126), Some(116..=117), "X1: 116 rounds to it, 117 is cut off to it");
    assert_eq!(over("超过85%", 100), Some(86..=100));
    assert_eq!(over("85%以上", 100), Some(85..=100));
    assert_eq!(over("33.3%", 2), None);
    let under = |text: &str, over| Stated::read(text).unwrap().denominators(over);
    assert_eq!(under("92%", 1_536), Some(1_661..=1_678), "X10");
    assert_eq!(under("77%", 89), Some(115..=116), "S1:163");
    let wide = Stated::read("92%").unwrap().denominators_at_most(1_536);
    assert_eq!(wide, Some(1_652..=1_678));
    assert_eq!(under("超过85%", 100), None, "a bound has no base of its own");
}

#[test]
fn every_number_a_rate_names_makes_it_and_no_other_does() {
    for text in ["92%", "95.1%", "0.5%", "100%", "超过85%", "85%以上"] {
        let stated = Stated::read(text).unwrap();
        for base in 1..400 {
            let named = stated.numerators(base);
            for over in 0..=base {
                let inside = named.as_ref().is_some_and(|range| range.contains(&over));
                assert_eq!(inside, stated.fits(over, base) != Fit::Differs, "{over}/{base} {text}");
            }
        }
    }
}
