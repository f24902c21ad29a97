//! The help of the command line in Chinese, and what each kind of user types, in both languages.

use super::Lang;

/// What each kind of user types, shown above all else.
pub fn overview(lang: Lang) -> &'static str {
    lang.pick(OVERVIEW_ZH, OVERVIEW_EN)
}

const OVERVIEW_ZH: &str = "\
干部(录入)
  hub unit import 企业.csv             导入单位名单(也可 --dry-run 先试)
  hub branch import 工会.csv           导入已有工会和建会申请
  hub branch apply --name 某厂工会 --unit 某厂
                                       申请建会
  hub member import 花名册.csv         导入会员花名册
  hub member join --branch 某厂工会 --name 张三 --number 证件号码
                                       个人入会
  hub undo --last                      撤回最近一次导入
  hub cases list --mine                本级可以处理的争议
  hub cases object 3f9c --evidence 劳动合同
                                       提出异议
统计员
  hub query coverage --unit 黑河市 --indicator founding.unit --by child
                                       组建率,按下级列出
  hub query coverage --indicator member.A --as-of 2026-09-30
                                       入会率(已建会口径)
  hub query coverage --unit 黑河市 --published 2026
                                       按封账时的公布数;--known-at 时间 按当时所知
  hub period close 2026 --unit 黑河市  封账(先列出待确认的)
  hub explain --unit 黑河市 --published 2026
  hub explain --unit 黑河市 --indicator members.all --by ownership --full
                                       公布数与现时数差在哪里
  hub query flows --unit 黑河市 --from 2025-10-01 --to 2026-09-30 --by child
                                       会员增减
  hub branch approve 某厂工会 --document 花工发〔2026〕1号
                                       批复建会;--file 批复.csv 成批办理
  hub figure report 报表.csv           填报;退回 hub figure return,审核 hub figure approve
  hub query coverage --indicator members.all --basis declared
                                       上报数,旁列台账数
  hub missing --period 2026            谁还没报,附催报文
  hub findings                         疑点:比率不符、部分大于总数、换届逾期等
  hub cases rule 3f9c --winner 1 --reason 理由 --document 文号
                                       裁定;--file 裁定.csv 成批办理
运维
  hub init --province 黑龙江省 --code 23
  hub enrol request|approve|accept     节点接入
  hub run                              运行本节点
  hub status                           同步情况、回执
  hub backup 备份文件                  备份
  hub checkpoint                       存证(每天自动一次)
  hub fork list                        同一节点签了两份的,由直接上级 hub fork settle 认定
审计
  hub audit verify                     账本校验
  hub audit replay                     重算
  hub audit check 报表.json --from 光盘 --root 根密钥
                                       证实、证伪或无法判定
  hub audit trail --unit 某厂          全部记录和结果
  hub audit fork 举证.hubfork --root 根密钥
  hub log export --jsonl --out 账本.jsonl
";

const OVERVIEW_EN: &str = "\
cadres (entering)
  hub unit import firms.csv            import a list of units (try --dry-run first)
  hub branch import unions.csv         import unions and founding applications
  hub branch apply --name NAME --unit UNIT
  hub member import roster.csv         import a roster
  hub member join --branch UNION --name NAME --number NUMBER
  hub undo --last                      take the last import back
  hub cases list --mine                conflicts this node can settle
  hub cases object 3f9c --evidence labour_contract
statistics
  hub query coverage --unit UNIT --indicator founding.unit --by child
  hub query coverage --indicator member.A --as-of 2026-09-30
  hub query coverage --unit UNIT --published 2026     (or --known-at TIME)
  hub period close 2026 --unit UNIT
  hub explain --unit UNIT --published 2026
  hub explain --unit UNIT --indicator members.all --by ownership --full
  hub query flows --unit UNIT --from 2025-10-01 --to 2026-09-30
  hub branch approve UNION --document NUMBER     (--file decisions.csv for many)
  hub figure report figures.csv
  hub query coverage --indicator members.all --basis declared
  hub missing --period 2026
  hub findings
  hub cases rule 3f9c --winner 1 --reason WHY --document NUMBER    (--file rulings.csv for many)
operators
  hub init --province NAME --code CODE
  hub enrol request|approve|accept
  hub run
  hub status
  hub backup FILE
  hub checkpoint
  hub fork list                        a node that signed twice; the node above: hub fork settle
auditors
  hub audit verify
  hub audit replay
  hub audit check answer.json --from DISC --root KEY
  hub audit trail --unit UNIT
  hub audit fork fork.proof --root KEY
  hub log export --jsonl --out log.jsonl
";

/// The Chinese help of a command, by its path below `hub`.
pub fn command(path: &str) -> Option<&'static str> {
    COMMANDS.iter().find(|(known, _)| *known == path).map(|(_, text)| *text)
}

/// The Chinese help of an argument: that of this command, else the usual one.
pub fn argument(path: &str, id: &str) -> Option<&'static str> {
    let own = format!("{path}:{id}");
    let find = |wanted: &str| ARGUMENTS.iter().find(|(known, _)| *known == wanted);
    find(&own).or_else(|| find(id)).map(|(_, text)| *text)
}

const COMMANDS: &[(&str, &str)] = &[
    ("", "各级工会的会员、建会和覆盖情况:逐级记账、上报、核对"),
    ("unit", "单位:导入名单、变更归口、终止"),
    ("unit import", "导入区划、工委或用人单位名单"),
    ("unit register", "登记一个单位"),
    ("unit move", "变更归口或所在地"),
    ("unit succeed", "登记单位承继:合并、分立、区划调整,单个或按文件成批"),
    ("unit rekey", "更正用人单位登记时写错的代码"),
    ("unit close", "登记单位终止"),
    ("branch", "工会:导入、申请、批复、成立、换届"),
    ("branch import", "导入已有工会和建会申请"),
    ("branch apply", "申请建会"),
    ("branch approve", "批复建会申请,单个或按文件成批"),
    ("branch refuse", "不予批复"),
    ("branch found", "登记工会成立"),
    ("branch elect", "登记换届选举"),
    ("branch women", "登记女职工组织"),
    ("branch cover", "登记或终止涵盖单位"),
    ("branch move", "登记工会所在单位变更"),
    ("branch merge", "登记工会并入另一工会"),
    ("branch legal", "登记工会法人登记"),
    ("branch dissolve", "登记工会撤销"),
    ("member", "会员:导入花名册、入会、接转、保留会籍、离会"),
    ("member import", "导入会员花名册"),
    ("member join", "个人入会"),
    ("member transfer", "会籍接转:转入,或用 --out 转出"),
    ("member retain", "保留会籍"),
    ("member leave", "离会"),
    ("figure", "填报数"),
    ("figure report", "从 CSV 文件填报"),
    ("figure show", "看填报数:退回、审核情况,旁列台账数"),
    ("figure return", "退回填报,说明原因;退回后不计入合计"),
    ("figure approve", "审核通过填报"),
    ("findings", "疑点:比率与数字不符、部分大于总数、换届逾期等"),
    ("missing", "谁还没有报送,附催报文"),
    ("undo", "撤回一次导入或一条记录"),
    ("cases", "争议:查看、异议、裁定、撤回"),
    ("cases list", "列出争议:谁和谁、进展到哪一步"),
    ("cases show", "看一件争议:双方对照、按什么规则、各方可以怎么办"),
    ("cases rule", "裁定哪一方计入,单件或按文件成批"),
    ("cases object", "对计入的一方提出异议"),
    ("cases withdraw", "撤回本级的裁定或异议"),
    ("query", "查询比率和数量"),
    ("query coverage", "某单位的比率或数量,附凭据"),
    ("period", "报告期:封账"),
    ("period close", "封账:先列出未报、争议、基数不足、人数不详,逐项确认后定稿"),
    ("explain", "一个数从哪里来;或公布数为何与现时数不同"),
    ("checkpoint", "现在就存证本节点账本,以后可按“当时所知”查询"),
    ("query flows", "某单位一段时间的会员增减"),
    ("status", "本节点情况、同步和回执"),
    ("init", "建立联合会(省级)"),
    ("enrol", "节点接入:向上级申请,或批准下级"),
    ("enrol request", "生成接入申请,交上级节点"),
    ("enrol token", "为下级节点发一次性口令"),
    ("enrol approve", "批准下级节点接入"),
    ("enrol accept", "收下上级的批准"),
    ("enrol revoke", "收回下级节点的授权:此后所录暂存不计"),
    ("enrol renew", "换用新密钥:备份恢复之后、换钥或到期前"),
    ("clock", "时钟:超前过的节点恢复签发"),
    ("clock recover", "时钟曾超前、现在已准的,申请新的一期恢复签发"),
    ("run", "运行本节点"),
    ("bundle", "用文件(封套)交换,不经网络"),
    ("bundle export", "把对方缺少的内容写成封套"),
    ("follow", "副本:跟随某个节点的账本,作备用或供审计"),
    ("follow request", "建立一个跟随某节点的数据目录并写出申请"),
    ("follow approve", "准许一个副本跟随本节点的账本"),
    ("bundle import", "收进一个封套"),
    ("bundle inspect", "查看封套内容"),
    ("bundle receipt", "收不到回程封套时:念给下级的电话回执,或记下上级念的"),
    ("backup", "备份本节点"),
    ("restore", "把备份恢复到新的数据目录"),
    ("log", "账本:全部记录"),
    ("log show", "最近的记录"),
    ("log export", "导出全部记录,每行一条 JSON"),
    ("log repair", "检查账本并重建索引"),
    ("audit", "核对本节点所说是否属实"),
    ("audit verify", "账本校验:每一块、每个签名"),
    ("audit replay", "全部重算并比较"),
    ("audit check", "核对一份查询结果:0 证实、1 证伪、2 无法判定"),
    ("audit trail", "某会员、工会或单位的全部记录和结果"),
    ("audit fork", "单凭一个文件核对两份签名的举证:0 证实、1 不能证实"),
    ("fork", "同一位置两份签名:查看、举证、认定"),
    ("fork list", "哪些节点在同一位置签了两份,哪一份计入"),
    ("fork export", "把举证写成文件"),
    ("fork settle", "直接上级认定以哪一份为准"),
    ("ops", "运维"),
    ("ops nats-config", "生成供下级接入的 NATS 服务配置"),
];

const ARGUMENTS: &[(&str, &str)] = &[
    ("data", "数据目录;不填用环境变量 HUB_DATA"),
    ("format", "输出形式:table 表格,json,csv"),
    ("lang", "语言:zh 中文,en 英文"),
    ("operator", "录入岗位号"),
    ("file", "CSV 文件;- 为标准输入"),
    ("dry_run", "只比较,不写入"),
    ("complete", "名册完整:表中缺少的作退出处理"),
    ("report", "拒收和待核的行写到哪里;不填放在原文件旁"),
    ("max_mb", "文件大小上限(MB)"),
    ("list_year", "区划名单的年份;不填为今年"),
    ("unit", "单位:名称、路径或代码"),
    ("branch", "工会:名称、路径或代码"),
    ("parent", "上级:名称、路径或代码"),
    ("unit register:name", "单位名称"),
    ("unit register:code", "统一社会信用代码或区划代码"),
    ("unit register:kind", "类型:单位、系统工委、产业、园区等;不填为用人单位"),
    ("level", "级别:省、市、县、乡镇、单位"),
    ("employees", "职工人数"),
    ("located_in", "所在地:名称、路径或代码"),
    ("day", "日期;不填为今天"),
    ("reason", "原因"),
    ("name", "名称或姓名"),
    ("kind", "工会类型:单独、联合、区域性、行业性、灵活就业等"),
    ("to", "向谁;不填为上一级"),
    ("document", "批复文号"),
    ("member join:document", "证件类型;不填为居民身份证"),
    ("member transfer:document", "证件类型;不填为居民身份证"),
    ("member retain:document", "证件类型;不填为居民身份证"),
    ("member leave:document", "证件类型;不填为居民身份证"),
    ("branch approve:file", "成批批复的 CSV 文件"),
    ("backup:file", "备份文件;内含密钥"),
    ("restore:file", "备份文件"),
    ("enrol approve:file", "接入申请文件"),
    ("enrol renew:out", "续用申请写到哪个文件"),
    ("clock recover:out", "申请写到哪个文件"),
    ("run:config", "配置文件;不填为数据目录中的 hub.toml"),
    ("enrol accept:file", "上级的批准文件"),
    ("bundle import:file", "封套文件"),
    ("bundle inspect:file", "封套文件"),
    ("bundle export:to", "给谁:parent 上级、children 全部下级、followers 副本,或某个下级单位"),
    ("bundle export:out", "已有的文件夹,或以 .hub 结尾的文件"),
    ("bundle export:max_mb", "单个封套的大小上限(MB)"),
    ("digits", "上级念的 24 位数字"),
    ("for_child", "给哪个下级单位的节点出回执"),
    ("since", "从哪里开始:receipt 对方未回执的、last-export 上次导出之后、start 全部"),
    ("files", "封套文件,可写多个"),
    ("term", "任期年数:3 或 5"),
    ("form", "女职工委员会或女职工委员"),
    ("end", "终止涵盖"),
    ("number", "证件号码"),
    ("employer", "所在单位:名称、路径或代码"),
    ("evidence", "依据:劳动合同、社会保险、花名册、本人申报"),
    ("out", "写到哪里"),
    ("member transfer:out", "转出(不填为转入)"),
    ("other", "对方工会"),
    ("member import:branch", "表中没写工会时用这个工会"),
    ("member import:reason", "与 --complete 同用:退出原因"),
    ("what", "导入批次,或 hub log 显示的记录号"),
    ("last", "最近一次导入;hub log show 中为条数"),
    ("indicator", "指标,如 founding.unit(组建率)、member.A、member.B、women.org"),
    ("by", "按什么分行:child 下级、ownership 单位类别、industry 行业、headcount 人数"),
    ("as_of", "时点;不填为今天"),
    ("boundaries", "归口按哪天:then 为时点当天"),
    ("compare", "与哪天比较"),
    ("basis", "数据来源:registry 台账数、declared 上报数"),
    ("period", "报告期:统计年度 2026,或月份 2026-05"),
    ("missing:form", "表号;不填为应报的各表"),
    ("figure return:form", "表号"),
    ("figure approve:form", "表号"),
    ("figure return:revision", "第几次填报;不填为现用的一份"),
    ("figure approve:revision", "第几次填报;不填为现用的一份"),
    ("figure return:reason", "退回原因,必填"),
    ("figure approve:reason", "说明"),
    ("residual", "该单位的代报数,不是它自己的数"),
    ("findings:kind", "只看这一种,如 rate-differs"),
    ("notes", "连同只供参考的一并列出"),
    ("audit fork:proof", "hub fork export 写出的文件"),
    ("audit fork:root", "联合会根密钥;绝不从被核对的数据中读取"),
    ("fork export:out", "写到哪里"),
    ("fork export:side", "其中一份,按 hub fork list 所列;只有一处时可不填"),
    ("fork settle:side", "以哪一份为准,按 hub fork list 所列"),
    ("audit check:report", "hub query 的 JSON 或 CSV 结果,带凭据"),
    ("audit check:from", "用来核对的数据目录或封套,可写多个"),
    ("audit check:root", "联合会根密钥;绝不从被核对的数据中读取"),
    ("audit trail:member", "会员代号"),
    ("union", "工会:名称、路径、代码或编号"),
    ("known_at", "按当时所知:取不晚于此刻的最近一次存证,如 2026-10-08 或 2026-10-08T09:30"),
    ("published", "按该报告期封账时的公布数,如 2026"),
    ("explain:published", "公布数与现时数的差,按原因分解"),
    ("full", "列出每条记录和会员(代号;姓名只在本节点自己的人员库)"),
    ("accept_missing", "确认这么多个未报单位"),
    ("accept_cases", "确认这么多件未决争议"),
    ("accept_over", "确认这么多个会员多于职工的单位"),
    ("accept_unknown", "确认这么多个职工人数不详的单位"),
    ("ask", "逐项回答是或否"),
    ("reopen", "重新封账的原因;修订次数加一"),
    ("base", "应建口径:due、all、50、100、operating"),
    ("province", "省名"),
    ("code", "区划代码"),
    ("root", "联合会根密钥,由上级告知"),
    ("token", "上级给的一次性口令"),
    ("hours", "几小时内有效"),
    ("follow request:node", "被跟随的节点编号(见其 hub status)"),
    ("follow request:root", "联合会根密钥"),
    ("follow request:url", "被跟随节点的 NATS 服务地址,集群的可写多个;不填则用封套"),
    ("follow approve:file", "申请文件"),
    ("follow approve:name", "在本节点的名称"),
    ("url", "上级 NATS 服务地址,集群的可写多个;不填则用封套"),
    ("tls_ca", "上级服务的证书文件(PEM)"),
    ("days", "有效天数"),
    ("person_key", "是否交给会员识别密钥(录入会员需要);默认县级以上交给"),
    ("may_delegate", "是否可以再批准下级接入;默认乡镇以上可以"),
    ("jsonl", "每行一条 JSON(唯一的形式)"),
    ("from", "数据目录或封套文件,可写多个;不填为本节点"),
    ("parked", "只看暂存未计的"),
    ("log show:kind", "只看这一类记录"),
    ("listen", "服务监听地址(主机:端口);对外开放的需要加密"),
    ("cluster", "集群时写三次,每台:接节点的地址/接另两台的地址(都是 主机:端口)"),
    ("ops nats-config:out", "配置写到哪里;集群的三份在扩展名前加 -1、-2、-3"),
    ("tls", "加密:用本节点自建的证书(在数据目录 tls/ 下,没有则新建)"),
    ("ops nats-config:host", "下级连接时用的主机名或地址,可写多个"),
    ("tls_cert", "别处签发的证书文件"),
    ("tls_key", "其私钥文件"),
    ("websocket", "同时以 WebSocket 监听的地址;供只开放 443 端口的网络使用"),
    ("plain", "对外开放而不加密:仅限网络本身已加密的"),
    ("id", "争议编号,写前几位即可"),
    ("cases list:kind", "只看这一种,如 dual-membership 或 重复会籍"),
    ("cases list:unit", "只看涉及这个单位及其下级的"),
    ("state", "只看这一步的:open、auto、confirmed、objected、ruled、settled"),
    ("mine", "只看本级还可以异议或裁定的"),
    ("winner", "计入的一方:序号、工会或单位名称;都不计用 none"),
    ("cases rule:from", "从哪天起;不填为双方并立之日"),
    ("cases rule:document", "裁定文号"),
    ("cases rule:file", "成批裁定的 CSV 文件"),
    ("cases object:from", "从哪天起;不填为双方并立之日"),
    ("cases object:document", "所依据文件的文号"),
    ("cases object:evidence", "依据:劳动合同、社会保险、花名册"),
    ("for_unit", "代哪个下级单位提出;不填为本级"),
    ("old", "终止的单位,可写多个"),
    ("new", "承继的单位,可写多个"),
    ("how", "合并、分立、区划调整;不填按数目判断"),
    ("unit succeed:file", "成批承继的 CSV 文件"),
    ("unit rekey:code", "正确的统一社会信用代码"),
    ("host", "新的所在单位:名称、路径或代码"),
    ("into", "并入的工会:名称、路径或代码"),
    ("branch legal:code", "工会自己的统一社会信用代码(81开头)"),
    ("good_until", "截至哪一天的账本仍有效;不填则现有的都有效"),
    ("query flows:from", "起始日;期初为前一天"),
    ("query flows:to", "截止日;不填为今天"),
    ("query flows:by", "child:一行一个下级"),
    ("help", "显示帮助"),
    ("version", "显示版本"),
];
