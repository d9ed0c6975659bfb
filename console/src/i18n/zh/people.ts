import type { people as en } from "../en/people";

export const people: typeof en = {
  heading: "用户",
  description: "按 openid 查找用户：实时标签、原因、到期时间和历史。",
  openid: "用户的 openid",
  openidHint: "微信在此渠道中对该用户的标识。这里不保存用户姓名。",
  find: "查找",
  noneTitle: "要查找哪位用户？",
  noneText: "请在上方输入 openid。它可在客服系统、导出文件和回传回执中找到。",
  conversation: "会话",
  forget: "删除用户数据…",
  forgetReason: "仅创建者和管理员可以删除用户数据。",
  forgetTitle: "删除该用户的数据？",
  forgetDeletes:
    "将删除可识别该用户的内容：openid、unionid、行为及时间、来源广告和标签历史。此操作无法撤销。",
  forgetKeeps:
    "该用户会从所有标签中移除，人数相应减一。回执和报告中的数字保留。为避免迟到的旧事件使其重新出现，带密钥的哈希会保留 90 天。",
  forgetLater: "此后该用户的行为会产生一个没有历史的新用户。",
  forgetAtWechat: "微信侧不受影响：已关注的仍然关注。",
  forgetConfirm: "删除用户数据",
  forgotten: "用户数据已删除。",
  notKnown: "没有可删除的数据：该渠道没有此 openid 的用户。",
};
