//! The published texts, policy, indicators, catalogue and code lists, against the rules that stand in code.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub::import::code_list;
use hub_core::codes::{self, Entry};
use hub_core::policy::Policy;
use hub_core::published;
use hub_node::limits::DOOR_MILLIS;
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn indicators_are_whole_and_named_once() {
    let file: Value = serde_json::from_str(published::INDICATORS).unwrap();
    let measures = file["measures"].as_object().unwrap();
    for (id, words) in measures {
        for field in ["zh", "en", "unit"] {
            assert!(!words[field].as_str().unwrap().is_empty(), "{id}.{field}");
        }
    }
    let mut ids = BTreeSet::new();
    for indicator in file["indicators"].as_array().unwrap() {
        let id = indicator["id"].as_str().unwrap();
        assert!(ids.insert(id), "{id} twice");
        for field in ["zh", "en", "definition"] {
            assert!(!indicator[field].as_str().unwrap().is_empty(), "{id}.{field}");
        }
        assert!(["set", "count"].contains(&indicator["kind"].as_str().unwrap()), "{id}");
        for (base, ratio) in indicator["bases"].as_object().unwrap() {
            let ratio: Vec<&str> =
                ratio.as_array().unwrap().iter().map(|m| m.as_str().unwrap()).collect();
            assert!(ratio.len() == 2 && ratio[0] != ratio[1], "{id} {base}");
            assert!(ratio.iter().all(|measure| measures.contains_key(*measure)), "{id} {base}");
        }
    }
    for id in ["founding.unit", "founding.application", "member.A", "member.B", "women.org"] {
        assert!(ids.contains(id), "{id}");
    }
}

#[test]
fn the_policy_names_the_limits_of_the_format() {
    let policy: Value = serde_json::from_str(published::POLICY).unwrap();
    assert_eq!(Policy::standard().clock_ahead_max, DOOR_MILLIS);
    assert_eq!(policy["clock_ahead_minutes_max"], DOOR_MILLIS / 60_000);
    assert_eq!(policy["term_years"], serde_json::json!([3, 5]));
}

#[test]
fn the_catalogue_of_figures_names_its_elements() {
    let catalog: Value = serde_json::from_str(published::CATALOG).unwrap();
    let elements: BTreeSet<u64> =
        catalog["elements"].as_array().unwrap().iter().map(|e| e["id"].as_u64().unwrap()).collect();
    for form in catalog["forms"].as_array().unwrap() {
        for element in form["elements"].as_array().unwrap() {
            assert!(elements.contains(&element.as_u64().unwrap()), "{form}");
        }
    }
    for element in catalog["elements"].as_array().unwrap() {
        let unit = element["unit"].as_str().unwrap();
        assert!(["人", "户", "人次", "件", "份", "家", "元"].contains(&unit), "{element}");
        let kind = element["kind"].as_str().unwrap();
        assert!(["point", "period", "cumulative"].contains(&kind), "{element}");
    }
}

/// What imports read as a code is a code of the published list, under the same word.
fn assert_known<T: Copy + Into<u32>>(list: &[code_list::Entry<T>], published: &[Entry]) {
    for read in list {
        let code: u32 = read.value.into();
        let known = published.iter().find(|entry| u32::from(entry.code) == code);
        let known = known.unwrap_or_else(|| panic!("{code} {:?} is not published", read.zh));
        let same = read.zh.iter().any(|word| known.zh.contains(word) || word.contains(known.zh));
        assert!(same, "{code}: published as {}, read as {:?}", known.zh, read.zh);
    }
}

#[test]
fn imports_read_published_codes() {
    assert_known(code_list::OWNERSHIPS, &codes::OWNERSHIP);
    assert_known(code_list::NO_UNION_REASONS, &codes::NO_UNION_REASON);
    assert_known(code_list::EMPLOYMENT_FORMS, &codes::EMPLOYMENT_FORM);
    assert_known(code_list::RETAIN_REASONS, &codes::RETAIN_REASON);
    assert_known(code_list::END_REASONS, &codes::END_REASON);
}
