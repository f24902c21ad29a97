//! What objections, rulings and doubts make of a person's days.

#![cfg_attr(rustfmt, rustfmt_skip)]
use super::*;

#[test]
fn m3_an_objection_undoes_a_takeover() {
    check(&[
        ("undone", "1 O joins; 5 P joins; 9 objects O>P", "O 1..5 active new; P 5..9 active new; O 9.. active; P 9.. disputed; dual 2>1 objected"),
        ("before it could", "1 O joins; 5 P joins; 5 objects O>P", "O 1.. active new; P 5.. disputed"),
        ("evidence is weaker", "1 O joins; 5 P joins contract; 9 objects O>P", "O 1..5 active new; P 5.. active new; dual 2>1 auto; no effect 3>2"),
        ("for good", "1 O joins; 5 P joins contract; 9 objects O>P; 10 P leaves; 11 O joins; 12 P joins", "O 1..5 active new; P 5..10 active new; O 11..12 active new; P 12.. active new; dual 2>1 auto; dual 6>5 auto; no effect 3>2"),
        ("evidence as strong", "1 O joins; 5 P joins contract; 9 objects O>P contract", "O 1..5 active new; P 5..9 active new; O 9.. active; P 9.. disputed; dual 2>1 objected"),
        ("it waits for the claim", "1 O joins; 3 objects O>P; 5 P joins", "O 1.. active new; P 5.. disputed"),
        ("and for the objector's", "5 P joins; 6 objects O>P; 8 O loaded", "P 5..8 active new; O 8.. active; P 8.. disputed"),
        ("not a later start", "1 O joins; 5 P joins; 6 objects O>P; 8 P leaves; 9 P joins", "O 1..5 active new; P 5..6 active new; O 6..9 active; P 6..8 disputed; P 9.. active new; dual 2>1 objected; dual 5>1 auto"),
        ("not once confirmed", "1 O joins; 5 P joins; 7 O leaves; 9 objects O>P", "O 1..5 active new; P 5.. active new; dual 2>1 clean"),
        ("not once confirmed that day", "1 O joins; 5 P joins; 9 O leaves; 9 objects O>P", "O 1..5 active new; P 5.. active new; dual 2>1 clean"),
        ("a clean one too", "1 O joins; 5 P comes from=O; 9 objects O>P", "O 1..5 active new; P 5..9 active; O 9.. active; P 9.. disputed"),
        ("one step back", "1 O joins; 5 P joins; 7 Q joins; 9 objects P>Q", "O 1..5 active new; P 5..7 active new; Q 7..9 active new; P 9.. active; Q 9.. disputed; dual 2>1 auto; dual 3>2 objected"),
        ("along the chain", "1 O joins; 5 P joins; 7 Q joins; 9 objects O>P; 10 objects P>Q", "O 1..5 active new; P 5..7 active new; Q 7..10 active new; O 10.. active; P 10.. disputed; Q 10.. disputed; dual 2>1 objected; dual 3>2 objected"),
        ("its union started anew", "1 O joins; 5 P joins; 7 O joins; 8 O leaves; 9 P joins; 10 objects O>P", "O 1..5 active new; P 5..7 active new; O 7..8 active new; P 9.. active new; dual 2>1 auto; dual 3>2 auto"),
        ("a void start is none", "1 O joins; 5 P joins; 7 O joins; 7 O leaves; 9 objects O>P", "O 1..5 active new; P 5..9 active new; O 9.. active; P 9.. disputed; dual 2>1 objected"),
        ("not after a death", "1 O joins; 5 P joins; 9 P dies; 11 P joins; 12 objects O>P", "O 1..5 active new; P 5..9 active new; P 11.. active new; dual 2>1 auto"),
        ("in dispute only", "1 O joins; 5 P joins; 9 objects O>P; 12 O leaves", "O 1..5 active new; P 5..9 active new; O 9..12 active; P 9.. disputed; dual 2>1 objected"),
        ("no transit in dispute", "1 O joins; 5 P joins; 9 objects O>P; 12 O out; 15 P leaves", "O 1..5 active new; P 5..9 active new; O 9..12 active; P 9..15 disputed; dual 2>1 objected"),
        ("taken over again", "1 O joins; 5 P joins; 9 objects O>P; 12 Q joins", "O 1..5 active new; P 5..9 active new; O 9..12 active; P 9..12 disputed; Q 12.. active new; dual 2>1 objected; dual 4>1 auto; dual 4>2 auto"),
    ]);
}

#[test]
fn m4_a_ruling_decides_between_its_sides() {
    check(&[
        ("for the loser", "1 O joins; 5 P joins; 9 rules O>P", "O 1..5 active new; P 5..9 active new; O 9.. active; P 9.. overruled; dual 2>1 ruled"),
        ("for the winner", "1 O joins; 5 P joins; 9 rules P>O", "O 1..5 active new; P 5.. active new; dual 2>1 ruled"),
        ("for nobody", "1 O joins; 5 P joins; 9 rules O,P", "O 1..5 active new; P 5..9 active new; O 9.. overruled; P 9.. overruled; dual 2>1 ruled"),
        ("from an earlier day", "1 O joins; 5 P joins; 3 rules O>P", "O 1..5 active new; P 5.. active new; dual 2>1 auto"),
        ("on the day of the start", "1 O joins; 5 P joins; 5 rules O>P", "O 1.. active new; P 5.. overruled"),
        ("of three", "1 O joins; 5 P joins; 7 Q joins; 9 rules O>P>Q", "O 1..5 active new; P 5..7 active new; Q 7..9 active new; O 9.. active; P 9.. overruled; Q 9.. overruled; dual 2>1 ruled; dual 3>2 ruled"),
        ("the third goes on", "1 O joins; 5 P joins; 7 Q joins; 9 rules O>P", "O 1..5 active new; P 5..7 active new; Q 7..9 active new; O 9.. active; Q 9.. disputed; dual 2>1 ruled; dual 3>2 ruled"),
        ("stronger than kind", "1 O joins; 5 F joins; 9 rules F>O", "O 1..9 active new; F 5..9 secondary; O 9.. overruled; F 9.. active"),
        ("not after a confirmation", "1 O joins; 5 P joins; 7 O leaves; 9 rules O>P", "O 1..5 active new; P 5..9 active new; P 9.. overruled; dual 2>1 clean"),
        ("later starts take over", "1 O joins; 5 rules O>P; 7 P joins", "O 1..7 active new; P 7.. active new; dual 3>1 auto"),
        ("not if self-declared", "1 O joins; 5 rules O>P; 7 P joins self", "O 1.. active new; P 7.. disputed"),
        ("nor of lower kind", "1 O joins; 5 O retained; 6 rules O>P; 7 F joins", "O 1..5 active new; O 5.. retained; F 7.. secondary"),
        ("nor void", "1 O joins; 5 P joins; 6 rules O>P; 7 Q joins; 7 Q leaves", "O 1..5 active new; P 5..6 active new; O 6.. active; P 6.. overruled; dual 2>1 ruled"),
        ("nor on its day", "1 O joins; 5 rules O>P; 5 Q joins", "O 1.. active new; Q 5.. disputed"),
        ("without a winner, the strongest side", "1 O joins; 2 F joins; 5 rules O,F; 7 R joins; 9 P joins", "O 1..5 active new; F 2..5 secondary; O 5..9 overruled; F 5..9 overruled; R 7..9 active new; P 9.. active new; F 9.. secondary; dual 5>1 auto; dual 5>4 auto"),
        ("all lapse", "1 O joins; 2 P joins self; 5 rules P>O; 8 Q joins; 9 Q leaves", "O 1..5 active new; P 2..5 disputed; O 5..8 overruled; P 5..8 active; Q 8..9 active new; dual 4>1 auto; dual 4>2 auto"),
        ("loaded books let it lapse too", "1 O joins; 3 P joins self; 5 rules P>O; 7 Q loaded", "O 1..5 active new; P 3..5 disputed; O 5..7 overruled; P 5..7 active; O 7.. active; P 7.. disputed; Q 7.. disputed"),
        ("objections do not reach a winner", "1 O joins; 5 P joins; 6 rules P>O; 9 objects O>P", "O 1..5 active new; P 5.. active new; dual 2>1 ruled; no effect 4>2"),
        ("nor hold against one", "1 O joins; 5 P joins; 7 objects O>P; 9 rules P>O", "O 1..5 active new; P 5..7 active new; O 7..9 active; P 7..9 disputed; O 9.. overruled; P 9.. active; dual 2>1 objected"),
    ]);
}

fn name(branch: BranchIx) -> &'static str {
    &UNIONS[branch as usize..=branch as usize]
}

fn days(from: Day, to: Day) -> String {
    let to = if to == Day::OPEN { String::new() } else { to.0.to_string() };
    format!("{}..{to}", from.0)
}

#[test]
fn spans_tell_why_they_begin_and_end() {
    let causes = |swept: &Swept| {
        let spans = swept.spans.iter().map(|span| {
            let ended = span.ended.map_or(String::new(), |ended| format!("{ended:?}"));
            format!("{} {} {:?}..{ended}", name(span.branch), span.from.0, span.began)
        });
        spans.collect::<Vec<_>>().join("; ")
    };
    check_by(causes, &[
        ("taken over", "1 O loaded; 5 P joins", "O 1 Started(Existing)..TakenOver; P 5 Started(New).."),
        ("left", "1 O joins; 5 O leaves", "O 1 Started(New)..Left(Resigned)"),
        ("died", "1 O joins; 5 O dies", "O 1 Started(New)..Left(Deceased)"),
        ("out and in", "1 O joins; 5 O out; 9 P comes", "O 1 Started(New)..TransferredOut; O 5 TransferredOut..HolderChanged; P 9 Started(Transferred).."),
        ("retained and back", "1 O joins; 5 O retained; 9 O resumes", "O 1 Started(New)..Retained; O 5 Retained..Resumed; O 9 Resumed.."),
        ("revised, then retained", "1 O joins; 5 O woman; 5 O retained", "O 1 Started(New)..Retained; O 5 Retained.."),
        ("another left", "1 O joins; 5 F joins; 9 O leaves", "O 1 Started(New)..Left(Resigned); F 5 Started(New)..HolderChanged; F 9 HolderChanged.."),
        ("objected", "1 O joins; 5 P joins; 9 objects O>P", "O 1 Started(New)..TakenOver; P 5 Started(New)..Objected; O 9 Reopened..; P 9 Objected.."),
        ("ruled", "1 O joins; 5 P joins; 9 rules O>P", "O 1 Started(New)..TakenOver; P 5 Started(New)..Ruled; O 9 Reopened..; P 9 Ruled.."),
    ]);
}

#[test]
fn doubts_name_what_else_might_count() {
    // clocks of these tables are of day 0, so a loser of a takeover is doubtful before day 90
    let doubts = |swept: &Swept| {
        let doubts = swept.doubts.iter().map(|doubt| {
            let counted = doubt.counted.map_or("-", |counted| name(counted.branch));
            let others: String = doubt.others.iter().map(|other| name(other.branch)).collect();
            format!("{} {counted}/{others}", days(doubt.from, doubt.to))
        });
        doubts.collect::<Vec<_>>().join("; ")
    };
    check_by(doubts, &[
        ("none", "1 O joins; 5 F joins", ""),
        ("auto", "1 O joins; 5 P joins", "5..90 P/O"),
        ("clean", "1 O joins; 5 P comes from=O", ""),
        ("confirmed", "1 O joins; 5 P joins; 60 O leaves", ""),
        ("too late", "1 O joins; 95 P joins", ""),
        ("disputed", "1 O joins; 5 P joins self", "5.. O/P"),
        ("a tie", "1 O joins; 1 P joins; 9 P leaves", "1..9 O/P"),
        ("both", "1 O joins; 5 P joins; 9 Q joins self", "5..9 P/O; 9..90 P/OQ; 90.. P/Q"),
        ("left meanwhile", "1 O joins; 5 P joins; 9 P leaves", "5..9 P/O; 9..90 -/O"),
        ("started anew", "1 O joins; 5 P joins; 9 O joins", "5..9 P/O; 9..90 O/P"),
        ("died", "1 O joins; 5 P joins; 9 P dies", "5..9 P/O"),
        ("objected", "1 O joins; 5 P joins; 9 objects O>P", "9.. O/P"),
        ("nobody", "1 O joins; 5 P joins; 9 objects O>P; 12 O leaves", "9..12 O/P; 12.. -/P"),
        ("ruled", "1 O joins; 5 P joins; 9 rules P>O", "5..9 P/O"),
        ("ruled on the day itself", "1 O joins; 5 P joins; 5 rules P>O", ""),
        ("a ruling lapsed by the start", "1 O joins; 5 P joins; 3 rules P>O", "5..90 P/O"),
        ("ruled for the loser", "1 O joins; 5 P joins; 9 rules O>P", ""),
    ]);
}

#[test]
fn disputes_name_both_starts() {
    let disputes = |swept: &Swept| {
        let disputes = swept.conflicts.iter().filter_map(|conflict| {
            let Conflict::Disputed { holder, loser, from, to, tied, objected } = conflict else {
                return None;
            };
            let holder = holder.map_or("-".into(), |holder| holder.seq.to_string());
            let tied = if *tied { " tied" } else { "" };
            let objected = if *objected { " objected" } else { "" };
            Some(format!("{holder}>{} {}{tied}{objected}", loser.seq, days(*from, *to)))
        });
        disputes.collect::<Vec<_>>().join("; ")
    };
    check_by(disputes, &[
        ("none", "1 O joins; 5 P joins", ""),
        ("a loser of its kind", "1 O joins; 5 P joins self; 7 O woman; 9 P leaves", "1>2 5..9"),
        ("by a tie", "1 O joins; 1 P joins", "1>2 1.. tied"),
        ("objected out", "1 O joins; 5 P joins; 9 objects O>P", "1>2 9.. objected"),
        ("alone", "1 O joins; 5 P joins; 9 objects O>P; 12 O leaves", "->2 12.. objected; 1>2 9..12 objected"),
        ("under another holder", "1 O joins; 3 P joins self; 5 Q joins", "1>2 3..5"),
        ("ruled out is not disputed", "1 O joins; 5 P joins self; 9 rules O>P", "1>2 5..9"),
    ]);
}

#[test]
fn mass_takeovers_are_made_of_holders_taken_over_and_not_confirmed() {
    let taken = |swept: &Swept| {
        let taken = swept.taken.iter().map(|taken| {
            format!("{}>{} {} {}", name(taken.by), name(taken.from), taken.day.0, taken.hlc.0)
        });
        taken.collect::<Vec<_>>().join("; ")
    };
    check_by(taken, &[
        ("auto", "1 O joins; 5 P joins", "P>O 5 2"),
        ("named", "1 O joins; 5 P comes from=O", "P>O 5 2"),
        ("confirmed", "1 O joins; 5 P joins; 9 O leaves", ""),
        ("objected", "1 O joins; 5 P joins; 9 objects O>P", "P>O 5 2"),
        ("of the holder only", "1 O joins; 1 P joins self; 5 Q joins", "Q>O 5 3"),
    ]);
}
