//! Who may speak, as tables: facts in, verdicts out (DESIGN §9; the words are told in `src/story.rs`).

use hub_core::view::verdict::Reason;
use hub_core_tests::story::check;

#[test]
fn a_unit_is_served_by_the_deepest_enrolled() {
    check(
        "
        40 A counts e
        29 C counts e
        40 C counts e           | no word
        40 B counts e           | no word
        40 P counts b           | no word
        40 B counts b
    ",
    );
    check(
        "
        1 A counts e
        4 T counts e            | no word
        6 T counts e
        9 A enrols T from 5
        10 A counts e
        40 A counts e           | no word
        40 T counts e
    ",
    );
}

#[test]
fn a_new_enrolment_leaves_the_old_node_thirty_days() {
    check(
        "
        10 A enrols T
        39 A counts e
        41 A counts e           | no word
        41 A counts a
    ",
    );
    check(
        "
        10 A enrols T
        50 A enrols T'
        79 T counts e
        79 T' counts e
        81 T counts e           | no word
        81 T' counts e
    ",
    );
    check(
        "
        10 A enrols T
        20 A enrols T2
        49 T counts e
        51 T counts e           | no word
        51 T2 counts e
        52 T2 withdraws #3
    "
        .replace("49 T counts e", "49 T counts e       | withdrawn by #6")
        .as_str(),
    );
}

#[test]
fn a_move_leaves_the_old_node_thirty_days() {
    check(
        "
        0 B registers s under b
        5 A counts e
        10 C moves e to s
        5 B counts e            | no word
        11 B counts e
        39 A counts e
        41 A counts e           | no word
        41 B counts e
    ",
    );
    check(
        "
        0 B registers s under b
        10 A moves e to s       | no word
        10 B moves e to s       | no word
        10 P moves e to s
        41 A counts e           | no word
        41 B counts e
    ",
    );
    check(
        "
        0 B registers s under b
        10 C moves e to s
        60 C withdraws #2
        59 A counts e           | no word
        61 A counts e
        89 B counts e
        91 B counts e           | no word
    "
        .replace("10 C moves e to s", "10 C moves e to s   | withdrawn by #3")
        .as_str(),
    );
}

#[test]
fn an_expiry_gap_is_parked_until_renewal() {
    check(
        "
        1 A enrols T until 50
        49 T counts e
        51 T counts e           | no word
        51 A counts e           | no word
    ",
    );
    check(
        "
        1 A enrols T until 50
        51 T counts e
        51 A counts e           | no word
        90 A enrols T until 500
        91 T counts e
    ",
    );
    check(
        "
        1 A enrols T until 50
        51 T counts e           | no word
        90 A enrols T from 80 until 500
        91 T counts e
    ",
    );
}

#[test]
fn a_cut_parks_what_is_above_and_gives_the_word_back() {
    check(
        "
        1 A enrols T
        10 T counts e
        40 T counts e           | after a cut
        50 A cuts T at 1
        11 A counts e
        60 A counts e
    ",
    );
    check(
        "
        1 A enrols T
        10 T counts e
        20 T counts e           | after a cut
        30 T counts e           | after a cut
        50 A cuts T at 2
        51 A cuts T at 1
        52 A cuts T at 3
    ",
    );
    check(
        "
        1 A enrols T
        10 T counts e
        20 T counts e
        50 A cuts T at 1        | withdrawn by #5
        51 A withdraws #4
    ",
    );
    check(
        "
        1 A enrols T
        5 T counts e
        10 T cuts A at 1        | no word
        10 B cuts T at 0        | no word
        10 T cuts T at 0        | no word
        10 P cuts T' at 0       | unknown subject
        11 T counts e
    ",
    );
    // superiors further up cut nodes that stand below what they registered themselves
    check(
        "
        1 A enrols T
        10 T counts e
        20 T counts e           | after a cut
        30 P cuts T at 1
    ",
    );
    // a key enrolled again below a thief is not his to cut
    check(
        "
        1 A enrols T
        5 T enrols A at e
        6 T cuts A at 0         | no word
        7 A counts a
    ",
    );
}

#[test]
fn a_withdrawn_enrolment_ends_at_the_withdrawal() {
    check(
        "
        1 A enrols T            | withdrawn by #3
        59 A counts e           | no word
        60 A withdraws #1
        59 T counts e
        61 T counts e           | no word
        61 A counts e
    ",
    );
}

#[test]
fn withdrawals_come_from_the_writer_or_who_serves_the_subject() {
    check(
        "
        1 A counts e            | withdrawn by #2
        2 A withdraws #1
        3 A counts e
        4 B withdraws #3
        45 C withdraws #3
        6 A withdraws #2
    ",
    );
    check(
        "
        1 A counts e            | withdrawn by #3
        2 A enrols T
        3 T withdraws #1
    ",
    );
    check(
        "
        1 A counts e
        2 A enrols T
        3 T withdraws #1        | after a cut
        4 A cuts T at 0
    ",
    );
    check(
        "
        1 A founds U
        2 A joins U             | withdrawn by #4
        3 A enrols T
        4 T withdraws #2
        5 B withdraws #2
    ",
    );
}

#[test]
fn epochs_and_keys_come_from_above() {
    check(
        "
        1 A enrols T
        2 A enrols T2
        3 T2 counts e
        4 A enrols T2 at f
    ",
    );
    check(
        "
        1 A enrols T
        2 B registers s under b
        3 B enrols T2 at s      | no word
        4 T2 withdraws #1       | no word
    ",
    );
    check(
        "
        1 T enrols E
        1 A enrols B            | no word
        1 B enrols T            | no word
        1 C enrols T
        2 T enrols E
        3 E counts e
    ",
    );
}

#[test]
fn superiors_speak_of_what_lower_levels_registered() {
    check(
        "
        1 P enrols T
        2 T counts e
        3 P enrols E
        4 E counts e
    ",
    );
    check(
        "
        1 A enrols T
        2 T registers g under t
        3 C enrols G
        4 G counts g
    ",
    );
}

#[test]
fn registrations_keep_levels_names_and_reach() {
    check(
        "
        1 A registers g under t
        1 B registers g under t     | no word
        1 B registers g under b
        1 B counts g
        1 A registers s under e     | parent level not higher
        1 A registers h under x     | unknown subject
        1 A rekeys e to g
        2 A rekeys g to e           | closes a cycle
        3 B counts g
        3 A counts e
    ",
    );
}

#[test]
fn what_is_early_or_unknown_waits() {
    check(
        "
        1 A counts e
        1 A counts e on 2           | dated after its own clock
        1 A closes f on 9
        1 A counts h                | unknown subject
        2 A scribbles               | unreadable
        3 A approves X              | unknown subject
    ",
    );
    let (_, view) = check(
        "
        1 A joins U                 | unknown subject
        2 B founds U                | no word
        3 B joins U                 | unknown subject
    ",
    );
    assert_eq!(view.parked().get(&Reason::UnknownSubject), Some(&2));
    check(
        "
        1 A counts h
        2 A registers h under t
    ",
    );
}
