//! The name of every kind of fact, as the catalogue (`schemas/facts.md`) and exports call it.

use super::member::MemberAct;
use super::{BranchFact, FactBody, FigureFact, GovernanceFact, UnitFact};

/// All kinds, in order of family and variant.
pub const KINDS: [&str; 42] = [
    "unit.registered",
    "unit.revised",
    "unit.headcount_declared",
    "unit.moved",
    "unit.succeeded",
    "unit.closed",
    "unit.rekeyed",
    "branch.applied",
    "branch.approved",
    "branch.refused",
    "branch.founded",
    "branch.revised",
    "branch.legal_registered",
    "branch.covered",
    "branch.uncovered",
    "branch.committee_elected",
    "branch.women_org_formed",
    "branch.moved",
    "branch.merged",
    "branch.dissolved",
    "member.joined",
    "member.transferred_in",
    "member.transferred_out",
    "member.retained",
    "member.left",
    "member.revised",
    "member.rekeyed",
    "member.erased",
    "figure.reported",
    "figure.returned",
    "figure.approved",
    "figure.period_closed",
    "figure.target_set",
    "governance.node_enrolled",
    "governance.node_revoked",
    "governance.ruled",
    "governance.objected",
    "governance.restated",
    "governance.checkpointed",
    "governance.catalog_published",
    "governance.policy_published",
    "withdrawn",
];

impl FactBody {
    /// The name of this kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unit(fact) => unit(fact),
            Self::Branch(fact) => branch(fact),
            Self::Member(fact) => member(&fact.act),
            Self::Figure(fact) => figure(fact),
            Self::Governance(fact) => governance(fact),
            Self::Withdrawn(_) => "withdrawn",
        }
    }
}

fn unit(fact: &UnitFact) -> &'static str {
    match fact {
        UnitFact::Registered { .. } => "unit.registered",
        UnitFact::Revised { .. } => "unit.revised",
        UnitFact::HeadcountDeclared { .. } => "unit.headcount_declared",
        UnitFact::Moved { .. } => "unit.moved",
        UnitFact::Succeeded { .. } => "unit.succeeded",
        UnitFact::Closed { .. } => "unit.closed",
        UnitFact::Rekeyed { .. } => "unit.rekeyed",
    }
}

fn branch(fact: &BranchFact) -> &'static str {
    match fact {
        BranchFact::Applied { .. } => "branch.applied",
        BranchFact::Approved { .. } => "branch.approved",
        BranchFact::Refused { .. } => "branch.refused",
        BranchFact::Founded { .. } => "branch.founded",
        BranchFact::Revised { .. } => "branch.revised",
        BranchFact::LegalRegistered { .. } => "branch.legal_registered",
        BranchFact::Covered { .. } => "branch.covered",
        BranchFact::Uncovered { .. } => "branch.uncovered",
        BranchFact::CommitteeElected { .. } => "branch.committee_elected",
        BranchFact::WomenOrgFormed { .. } => "branch.women_org_formed",
        BranchFact::Moved { .. } => "branch.moved",
        BranchFact::Merged { .. } => "branch.merged",
        BranchFact::Dissolved { .. } => "branch.dissolved",
    }
}

fn member(act: &MemberAct) -> &'static str {
    match act {
        MemberAct::Joined(_) => "member.joined",
        MemberAct::TransferredIn(_) => "member.transferred_in",
        MemberAct::TransferredOut { .. } => "member.transferred_out",
        MemberAct::Retained { .. } => "member.retained",
        MemberAct::Left { .. } => "member.left",
        MemberAct::Revised { .. } => "member.revised",
        MemberAct::Rekeyed { .. } => "member.rekeyed",
        MemberAct::Erased => "member.erased",
    }
}

fn figure(fact: &FigureFact) -> &'static str {
    match fact {
        FigureFact::Reported { .. } => "figure.reported",
        FigureFact::Returned { .. } => "figure.returned",
        FigureFact::Approved { .. } => "figure.approved",
        FigureFact::PeriodClosed { .. } => "figure.period_closed",
        FigureFact::TargetSet { .. } => "figure.target_set",
    }
}

fn governance(fact: &GovernanceFact) -> &'static str {
    match fact {
        GovernanceFact::NodeEnrolled(_) => "governance.node_enrolled",
        GovernanceFact::NodeRevoked { .. } => "governance.node_revoked",
        GovernanceFact::Ruled { .. } => "governance.ruled",
        GovernanceFact::Objected { .. } => "governance.objected",
        GovernanceFact::Restated { .. } => "governance.restated",
        GovernanceFact::Checkpointed { .. } => "governance.checkpointed",
        GovernanceFact::CatalogPublished { .. } => "governance.catalog_published",
        GovernanceFact::PolicyPublished { .. } => "governance.policy_published",
    }
}
