//! The specification and the program say the same: tables of `schemas/` against constants and types,
//! vectors against readers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hub_core::block::Block;
use hub_core::chain::{ChainError, ChainHead};
use hub_core::codec::{self, columns};
use hub_core::codes;
use hub_core::fact::branch::{BranchKind, WomenOrg};
use hub_core::fact::member::{Evidence, Flag, LeaveReason, Origin, Sex};
use hub_core::fact::unit::{Level, Succession, UnitKind};
use hub_core::fact::{self, CodeKind, Fact, FactBody, KINDS, governance};
use hub_core::hash::{Hash, hex_decode, sha256};
use hub_core::header::{self, Header};
use hub_core::id::{ChainId, FederationId, Lane, NodeId, UnitId};
use hub_core::time::{Hlc, Precision};
use hub_core_tests::{sample, vectors};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

fn json(name: &str) -> Value {
    serde_json::from_str(&read(name)).unwrap()
}

/// The part of a document under this heading, to the next of the same or a higher rank.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading:?}"));
    let rest = &text[start + heading.len() + 2..];
    let rank = heading.chars().take_while(|c| *c == '#').count();
    let end = (2..=rank).filter_map(|rank| rest.find(&format!("\n{} ", "#".repeat(rank)))).min();
    &rest[..end.unwrap_or(rest.len())]
}

/// The rows of the tables in `text`, without their heads.
fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    let lines: Vec<&str> = text.lines().collect();
    let is_row = |line: &str| line.starts_with("| ") && !line.starts_with("|-");
    (0..lines.len())
        .filter(|at| is_row(lines[*at]))
        .filter(|at| lines.get(at + 1).is_none_or(|next| !next.starts_with("|-")))
        .map(|at| cells(lines[at]))
        .collect()
}

#[test]
fn constants_are_as_written() {
    let program: [(&str, usize); 10] = [
        ("HEADER_BYTES", header::HEADER_BYTES),
        ("SIGNED_BYTES", header::SIGNED_BYTES),
        ("FACTS_MAX", header::FACTS_MAX as usize),
        ("BLOCK_BYTES_MAX", header::BLOCK_BYTES_MAX),
        ("BODY_BYTES_MAX", header::BODY_BYTES_MAX as usize),
        ("TEXT_BYTES_MAX", fact::TEXT_BYTES_MAX),
        ("LIST_MAX", fact::LIST_MAX),
        ("ATTRIBUTE_CODES_MAX", columns::ATTRIBUTE_CODES_MAX),
        ("PUBLISHED_TEXT_BYTES_MAX", governance::PUBLISHED_TEXT_BYTES_MAX),
        ("SEALED_KEY_BYTES_MAX", governance::SEALED_KEY_BYTES_MAX),
    ];
    let text = read("block.md");
    let written: Vec<(String, usize)> = rows(section(&text, "## Constants"))
        .into_iter()
        .map(|row| (row[0].clone(), row[1].parse().unwrap()))
        .collect();
    let program: Vec<(String, usize)> =
        program.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(written, program);
}

/// Every field of the header table, with bytes no other field has, stands where the table says.
#[test]
fn the_header_is_laid_out_as_written() {
    let lane = Lane::Down(UnitId([0xa4; 16]));
    let laid = Header {
        federation: FederationId([0xa1; 16]),
        chain: ChainId { node: NodeId([0xa2; 16]), epoch: 0x0102_0304, lane },
        height: 0x1112_1314_1516_1718,
        first_seq: 0x2122_2324_2526_2728,
        count: 0x0000_0333,
        previous: Hash([0xa5; 32]),
        first_hlc: Hlc(0x3132_3334_3536_3738),
        last_hlc: Hlc(0x4142_4344_4546_4748),
        codec: 0x77,
        body_length: 5,
        body_hash: sha256(&[b"body!"]),
    };
    let block = Block::signed(laid, b"body!", &sample::signer());
    let fields: Vec<(&str, Vec<u8>)> = vec![
        ("magic", header::MAGIC.to_vec()),
        ("format", header::FORMAT.to_be_bytes().to_vec()),
        ("suite", vec![header::SUITE]),
        ("federation", laid.federation.0.to_vec()),
        ("node", laid.chain.node.0.to_vec()),
        ("epoch", laid.chain.epoch.to_be_bytes().to_vec()),
        ("lane", [&[1][..], &[0xa4; 16]].concat()),
        ("height", laid.height.to_be_bytes().to_vec()),
        ("first_seq", laid.first_seq.to_be_bytes().to_vec()),
        ("count", laid.count.to_be_bytes().to_vec()),
        ("previous", laid.previous.0.to_vec()),
        ("first_hlc", laid.first_hlc.0.to_be_bytes().to_vec()),
        ("last_hlc", laid.last_hlc.0.to_be_bytes().to_vec()),
        ("codec", vec![laid.codec]),
        ("body_length", laid.body_length.to_be_bytes().to_vec()),
        ("body_hash", laid.body_hash.0.to_vec()),
    ];
    let text = read("block.md");
    let table = rows(section(&text, "## Header"));
    let mut at = 0;
    for (row, (name, bytes)) in table.iter().zip(&fields) {
        let place: (usize, usize) = (row[0].parse().unwrap(), row[1].parse().unwrap());
        assert_eq!((row[2].as_str(), place), (*name, (at, bytes.len())));
        assert_eq!(&block.bytes()[at..at + bytes.len()], bytes.as_slice(), "{name}");
        at += bytes.len();
    }
    assert_eq!(at, header::SIGNED_BYTES);
    let last = table.last().unwrap();
    assert_eq!(last[..3], ["165".to_owned(), "64".to_owned(), "signature".to_owned()]);
    assert_eq!(table.len(), fields.len() + 1);
    assert_eq!(Header::parse(block.bytes()), Ok(laid));
    assert_eq!(block.hash(), sha256(&[&block.bytes()[..header::HEADER_BYTES]]));
}

fn keys(value: &Value) -> Vec<String> {
    value.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
}

/// The names of a fact's own fields, in the order of the bytes.
fn own_fields(fact: &Fact) -> Vec<String> {
    let body = serde_json::to_value(&fact.body).unwrap();
    let (_, inner) = body.as_object().unwrap().iter().next().unwrap();
    match &fact.body {
        FactBody::Withdrawn(_) => keys(inner),
        FactBody::Member(_) => {
            let act = inner["act"].as_object().and_then(|act| act.values().next());
            let own = act.map(keys).unwrap_or_default();
            ["member".to_owned(), "branch".to_owned()].into_iter().chain(own).collect()
        }
        _ => keys(inner.as_object().unwrap().values().next().unwrap()),
    }
}

fn named_fields(text: &str) -> Vec<String> {
    rows(text).into_iter().map(|row| row[0].clone()).collect()
}

#[test]
fn the_catalogue_has_every_kind_with_its_fields() {
    let text = read("facts.md");
    let headed: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .filter(|name| !name.starts_with("type "))
        .collect();
    assert_eq!(headed, KINDS, "kinds in the catalogue, in the order of the bytes");
    for fact in sample::every_kind() {
        let kind = fact.body.kind();
        let part = section(&text, &format!("### {kind}"));
        assert_eq!(named_fields(part), own_fields(&fact), "{kind}");
        let sort = if fact.is_announcement() { "- announcement" } else { "- occurrence" };
        assert!(part.lines().any(|line| line == sort), "{kind}: expected {sort:?}");
        for line in ["- subject: ", "- stated by: ", "- source: "] {
            assert!(part.lines().any(|l| l.len() > line.len() && l.starts_with(line)), "{kind}");
        }
    }
    let frame = serde_json::to_value(&sample::every_kind()[0]).unwrap();
    assert_eq!(named_fields(section(&text, "## Every fact")), keys(&frame));
}

/// Every object in `value` that has this field.
fn objects_with<'a>(value: &'a Value, field: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key(field) {
                found.push(value);
            }
            fields.values().for_each(|inner| objects_with(inner, field, found));
        }
        Value::Array(entries) => {
            entries.iter().for_each(|inner| objects_with(inner, field, found));
        }
        _ => {}
    }
}

fn assert_type<T: Serialize>(text: &str, name: &str, sample: &T) {
    let written = named_fields(section(text, &format!("### type {name}")));
    assert_eq!(written, keys(&serde_json::to_value(sample).unwrap()), "{name}");
}

#[test]
fn the_catalogue_has_every_type_with_its_fields() {
    let text = read("facts.md");
    // types that stand inside facts, each by a field that only it has
    let inner = [
        ("unit profile", "no_union_reason"),
        ("union profile", "host"),
        ("member profile", "sex"),
        ("element value", "element"),
        ("declared rate", "denominator"),
    ];
    let all = serde_json::to_value(sample::every_kind()).unwrap();
    for (name, field) in inner {
        let mut found = Vec::new();
        objects_with(&all, field, &mut found);
        let written = named_fields(section(&text, &format!("### type {name}")));
        assert!(found.iter().any(|value| keys(value) == written), "{name}: {written:?}");
    }
    let fact = sample::fact_id(1);
    assert_type(&text, "fact id", &fact);
    assert_type(&text, "chain", &fact.chain);
    assert_type(&text, "attribute", &fact::Attribute { code: 1, value: 1 });
    assert_type(&text, "code", &fact::Code { kind: CodeKind::Local, value: String::new() });
    let head = governance::LaneHead { lane: Lane::Up, height: 1, hash: Hash::ZERO };
    assert_type(&text, "lane head", &head);
    let head = governance::ChainHeight { chain: fact.chain, height: 1, hash: Hash::ZERO };
    assert_type(&text, "chain height", &head);
    let restated = sample::every_kind().into_iter().find_map(|fact| match fact.body {
        FactBody::Governance(fact::GovernanceFact::Restated { content, .. }) => Some(content),
        _ => None,
    });
    assert_type(&text, "restatement", &restated.unwrap());
}

#[test]
fn open_code_lists_are_as_written() {
    let text = read("codes.md");
    for (name, list) in codes::LISTS {
        let written: Vec<(String, String, String)> = rows(section(&text, &format!("### {name}")))
            .into_iter()
            .map(|row| (row[0].clone(), row[1].clone(), row[2].clone()))
            .collect();
        let program: Vec<(String, String, String)> =
            list.iter().map(|e| (e.code.to_string(), e.zh.to_owned(), e.en.to_owned())).collect();
        assert_eq!(written, program, "{name}");
    }
    let known = |code: u16| codes::find(&codes::ATTRIBUTE, code).is_some();
    assert!(known(fact::ATTRIBUTE_FIRST_JOINED) && known(fact::ATTRIBUTE_IMPORT));
    assert!(known(fact::ATTRIBUTE_DEMONSTRATION));
}

/// A list of the format: number and name of each variant. The number is what codec 1 writes: the place.
fn assert_list<T: Serialize + Copy>(text: &str, name: &str, variants: &[T]) {
    let program: Vec<(String, String)> = variants
        .iter()
        .enumerate()
        .map(|(place, variant)| {
            let word = serde_json::to_value(variant).unwrap();
            (place.to_string(), word.as_str().unwrap().to_owned())
        })
        .collect();
    let written: Vec<(String, String)> = rows(section(text, &format!("### {name}")))
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    assert_eq!(written, program, "{name}");
}

#[test]
fn lists_of_the_format_are_as_written() {
    let text = read("codes.md");
    assert_list(&text, "precision", &[Precision::Day, Precision::Month, Precision::Year]);
    let kinds = [
        CodeKind::Division,
        CodeKind::Uscc,
        CodeKind::UnionUscc,
        CodeKind::UnionStatistical,
        CodeKind::Local,
    ];
    assert_list(&text, "code kind", &kinds);
    let kinds = [
        UnitKind::Territory,
        UnitKind::Employer,
        UnitKind::SystemCommittee,
        UnitKind::Industry,
        UnitKind::Park,
        UnitKind::Group,
        UnitKind::Community,
    ];
    assert_list(&text, "unit kind", &kinds);
    assert_list(&text, "level", &Level::ALL);
    let ways = [Succession::Merger, Succession::Split, Succession::Redraw];
    assert_list(&text, "succession", &ways);
    let kinds = [
        BranchKind::Own,
        BranchKind::Joint,
        BranchKind::Regional,
        BranchKind::Industrial,
        BranchKind::Flexible,
        BranchKind::Federation,
        BranchKind::System,
        BranchKind::SubBranch,
    ];
    assert_list(&text, "union kind", &kinds);
    assert_list(&text, "women's organisation", &[WomenOrg::Committee, WomenOrg::Officer]);
    let origins = [Origin::Existing, Origin::New, Origin::Transferred, Origin::Resumed];
    assert_list(&text, "origin", &origins);
    let evidences = [
        Evidence::SelfDeclared,
        Evidence::Roster,
        Evidence::SocialInsurance,
        Evidence::LabourContract,
    ];
    assert_list(&text, "evidence", &evidences);
    let reasons =
        [LeaveReason::Resigned, LeaveReason::Lapsed, LeaveReason::Expelled, LeaveReason::Deceased];
    assert_list(&text, "leave reason", &reasons);
    assert_list(&text, "sex", &[Sex::Unknown, Sex::Man, Sex::Woman]);
    assert_list(&text, "flag", &[Flag::Unknown, Flag::No, Flag::Yes]);
}

#[test]
fn vectors_are_what_the_program_makes() {
    for (name, content) in vectors::files() {
        let same = json(&format!("vectors/{name}")) == content;
        assert!(
            same,
            "schemas/vectors/{name} differs: cargo run -p hub-core-tests --example vectors"
        );
    }
}

fn bytes_of(block: &Value) -> Vec<u8> {
    hex_decode(block["bytes"].as_str().unwrap()).unwrap()
}

fn public_key(file: &Value) -> [u8; 32] {
    let key = hex_decode(file["keys"]["public_key"].as_str().unwrap()).unwrap();
    key.try_into().unwrap()
}

/// Reads a good vector as a node does and compares it with what the file says.
fn assert_reads(vector: &Value, key: &[u8; 32]) -> Block {
    let name = vector["name"].as_str().unwrap();
    let block = Block::parse(bytes_of(vector)).unwrap();
    assert_eq!(block.verify(key), Ok(()), "{name}");
    assert_eq!(block.hash().to_string(), vector["hash"].as_str().unwrap(), "{name}");
    let facts: Vec<Fact> = serde_json::from_value(vector["facts"].clone()).unwrap();
    assert_eq!(block.body().unwrap().into_facts(), facts, "{name}");
    let again = codec::encode(&facts).unwrap();
    assert_eq!((again.0, again.1.as_slice()), (block.header().codec, block.body_bytes()), "{name}");
    block
}

#[test]
fn valid_vectors_read_as_written() {
    let file = json("vectors/valid.json");
    let mut kinds = Vec::new();
    for vector in file["blocks"].as_array().unwrap() {
        assert_reads(vector, &public_key(&file));
        kinds.push(vector["name"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds, KINDS);
    let federation = file["keys"]["federation"].as_str().unwrap().parse::<FederationId>();
    assert_eq!(federation, Ok(FederationId::of_root_key(&public_key(&file))));
}

#[test]
fn the_chain_vector_is_a_chain() {
    let file = json("vectors/chain.json");
    let blocks: Vec<Block> = file["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|vector| assert_reads(vector, &public_key(&file)))
        .collect();
    let mut head = ChainHead::empty(Hash::ZERO);
    for block in &blocks[..3] {
        head = head.extended(block.header(), block.hash()).unwrap();
    }
    assert_eq!(head.height, 3);
    assert!(matches!(blocks[3].header().chain.lane, Lane::Down(_)));
    let first =
        ChainHead::empty(Hash::ZERO).extended(blocks[0].header(), blocks[0].hash()).unwrap();
    let gap = first.extended(blocks[2].header(), blocks[2].hash());
    assert_eq!(gap, Err(ChainError::Gap { expected: 2, found: 3 }));
    let known = first.extended(blocks[0].header(), blocks[0].hash());
    assert_eq!(known, Err(ChainError::Known { head: 1, found: 1 }));
}

#[test]
fn broken_vectors_are_refused_in_the_words_written() {
    let file = json("vectors/broken.json");
    let mut stages = BTreeSet::new();
    for vector in file["blocks"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let (stage, error) = vectors::refusal(&bytes_of(vector)).unwrap_or(("none", "".into()));
        assert_eq!(stage, vector["stage"].as_str().unwrap(), "{name}");
        assert_eq!(error, vector["error"].as_str().unwrap(), "{name}");
        stages.insert(stage);
    }
    assert_eq!(stages, BTreeSet::from(["body", "header", "signature"]));
}

/// The map names every file of the folder.
#[test]
fn the_map_is_whole() {
    let map = read("README.md");
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name == "README.md" || map.contains(&format!("`{name}")),
            "{name} is not in the map"
        );
    }
}
