//! Words for what failed below the commands, and for why a fact is kept uncounted.

use super::Lang;
use crate::replica::{ReplicaError, SigningRefused, WriteError};
use crate::report::coverage::instant;
use hub_core::query::QueryError;

use hub_core::view::verdict::Reason;
use hub_log::OpenError;

/// Why a question has no answer.
pub fn query_error(lang: Lang, error: &QueryError) -> String {
    let zh = match error {
        QueryError::Indicator { expected, found } => {
            format!("没有指标“{found}”;可用的有:{}", expected.join("、"))
        }
        QueryError::Base { expected, found } => {
            format!("该指标没有口径“{found}”;可用的有:{}", expected.join("、"))
        }
        QueryError::NotDeclared { expected, found } => {
            format!("填报表中没有与“{found}”对应的指标;有上报数的有:{}", expected.join("、"))
        }
        other => other.to_string(),
    };
    lang.pick(zh, error.to_string())
}

/// Why the books cannot be opened.
pub fn replica_error(lang: Lang, error: &ReplicaError) -> String {
    let zh = match error {
        ReplicaError::Open(OpenError::Locked { pid: Some(pid), .. }) => {
            format!("数据目录正被另一个进程使用(进程号 {pid});请等它结束,或先停止该进程")
        }
        ReplicaError::Open(OpenError::Locked { pid: None, .. }) => {
            "数据目录正被另一个进程使用;请等它结束".to_owned()
        }
        other => format!("账本打不开:{other}"),
    };
    lang.pick(zh, error.to_string())
}

/// Why facts could not be written.
pub fn write_error(lang: Lang, error: &WriteError) -> String {
    let zh = match error {
        WriteError::Refused(refused) => signing_refused(refused),
        WriteError::Seal(error) => format!("录入内容有误:{error}"),
        WriteError::Append(error) => {
            format!("账本写入失败,本节点已停止,已确认的记录不受影响:{error}")
        }
    };
    lang.pick(zh, error.to_string())
}

/// Why this node does not sign now, in Chinese.
pub fn signing_refused(refused: &SigningRefused) -> String {
    match refused {
        SigningRefused::ClockBack { last, found } => format!(
            "本机时间({})早于已录入的最后一条记录({}),请校准系统时间后再录入;现在时间是准的、是以前超前了的,\
             请运行 hub clock recover",
            instant(*found),
            instant(last.millis())
        ),
        SigningRefused::ClockOff { parent, found } => format!(
            "本机时间({})与上级时间({})相差超过10分钟,请校准系统时间后再录入;校准后仍提示最后一条记录超前的,\
             请运行 hub clock recover",
            instant(*found),
            instant(*parent)
        ),
        SigningRefused::Restored => {
            "本目录由备份恢复,备份之后的记录在此不可知;请运行 hub enrol renew 申请续用,经上级批准后再录入"
                .to_owned()
        }
        SigningRefused::Behind { expected, found, known_by, .. } => format!(
            "本目录比本节点已签发的要旧(应到第 {expected} 块,这里只到第 {found} 块;依据:{known_by}),是由备份恢复的;\
             请运行 hub enrol renew 申请续用,经上级批准后再录入"
        ),
        SigningRefused::Forked { height, settled: false, .. } => format!(
            "有两份本节点在用同一把密钥签发(第 {height} 块):请停掉另一份,由直接上级 hub fork settle 认定;根节点没有上级,\
             请 hub enrol renew 后自己认定"
        ),
        SigningRefused::Forked { height, settled: true, .. } => format!(
            "已认定以另一份本节点为准(自第 {height} 块起):请运行 hub enrol renew 申请续用,经上级批准后再录入"
        ),
        SigningRefused::NoKey => "本节点没有密钥,不能签发;请先 hub init 或 hub enrol request".to_owned(),
    }
}

/// Why a fact is kept and not counted (暂存未计).
pub fn reason(lang: Lang, reason: Reason) -> String {
    let zh = match reason {
        Reason::NoAuthority => "录入节点当时不负责该单位",
        Reason::AfterCut => "录入节点的授权已被收回",
        Reason::UnknownSubject => "所属单位或工会尚未登记",
        Reason::WrongId => "编号与代码不符",
        Reason::Premature => "生效日期晚于录入日期",
        Reason::Cycle => "会形成循环",
        Reason::WrongLevel => "上级层级不高于本级",
        Reason::Unreadable => "需升级程序才能读取",
        Reason::NoClaim => "裁定所指的会籍、登记或工会不存在",
        Reason::MixedSides => "裁定各方不是同一类事项",
        Reason::AlreadySucceeded => "该单位已有其他承接关系或形成循环",
        Reason::Forked => "同一位置有两份签名数据，尚未认定以哪一份为准",
        Reason::OtherSide => "同一位置有两份签名数据，已认定以另一份为准",
    };
    lang.pick(zh.to_owned(), reason.to_string())
}
