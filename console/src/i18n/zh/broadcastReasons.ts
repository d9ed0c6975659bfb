import type { broadcastReasons as en } from "../en/broadcastReasons";

export const broadcastReasons: typeof en = {
  states: {
    QUEUED: "排队中",
    WAITING: "等待中",
    WAITING_FOR_APPROVAL: "待审批",
    RUNNING: "发送中",
    PAUSED: "已暂停",
    DONE: "已完成",
    FAILED: "失败",
    CANCELLED: "已取消",
  },
  otherState: "等待中",
  waits: {
    START_TIME: { what: "等待开始时间。", todo: "" },
    QUIET_HOURS: {
      what: "等待免打扰时段结束。",
      todo: "无需操作。创建者可以新建不受免打扰时段限制的群发。",
    },
    HOLIDAY: { what: "等待节假日结束。", todo: "无需操作。" },
    QUOTA: {
      what: "帐号今天的微信调用额度已用完，明天继续。",
      todo: "无需操作；更高的额度需由微信提供。",
    },
    RATE: {
      what: "等待本渠道的另一个群发、微信的每分钟限制，或尚未收到的应答。",
      todo: "无需操作，结果未知的部分会同时查证。",
    },
    OPERAND: { what: "人群中有标签仍在生效中。", todo: "无需操作。" },
    SECOND_ADMIN: {
      what: "等待另一位管理员或创建者审批，创建者或最后修改者本人不能审批。",
      todo: "请其中一位在此审批。开始时间后七天内无人审批，将自动取消。",
    },
    WECHAT_ADMIN: {
      what: "微信已向帐号管理员发出确认请求。",
      todo: "请在微信中确认。系统每五分钟查询一次，在此再次询问则立即查询。",
    },
    LATE_START: { what: "错过了开始时间，且超出策略允许的时长。", todo: "可延后发送，或取消。" },
    DUPLICATE: { what: "部分用户近期收到过或即将收到相同内容。", todo: "可仍然发送，或取消。" },
    REFUSED_MESSAGE: {
      what: "微信拒绝了消息本身，没有再向其他人发送。",
      todo: "请在微信修正模板或草稿后继续。若要更换内容，请取消后新建群发，发给同一人群中未收到本次消息的用户。",
    },
    CONFIGURATION: {
      what: "微信拒绝了帐号或其凭据。",
      todo: "请修正下面提到的问题（AppSecret、IP 白名单、认证；订阅号还包括已同步的标签或临时标签），然后重试帐号。",
    },
    OPERATOR: { what: "有人暂停了它，或服务的数据库被复制或恢复过。", todo: "确认可以继续后，点击继续。" },
  },
  otherWait: { what: "等待中。", todo: "" },
  held: {
    NOT_FOLLOWING: "未关注",
    BLACKLISTED: "在帐号黑名单中",
    OUT_OF_WINDOW: "上次发消息太久，客服已不能回复",
    WINDOW_USED_UP: "上次发消息后已收到五条消息",
    NO_CONSENT: "未允许此模板的消息",
    MONTHLY_LIMIT: "本月已收到四条群发消息",
    HOLD_OUT: "属于对照组，用于比较效果",
    FREQUENCY_CAP: "收到的消息已达策略上限",
    ONCE_ONLY: "已收到或将收到同组的另一个群发",
    ALREADY_RECEIVED: "已在其他批次收到，或后来得知已收到",
    NO_VALUE: "缺少占位内容且没有替代文字",
    REMOTE_TAG_LIMIT: "在微信已有 20 个标签，无法再加临时标签",
    AUDIENCE_TOO_SMALL: "只剩一人，而群发消息至少发给两人",
    FORGOTTEN: "轮到之前已被遗忘",
  },
  otherHeld: "因其他原因未发送",
};
