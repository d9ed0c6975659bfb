import type { shell as en } from "../en/shell";

export const shell: typeof en = {
  title: "用户标签",
  channels: "客户渠道",
  tags: "标签",
  audience: "人群",
  broadcasts: "群发",
  sync: "同步",
  jobs: "任务",
  people: "用户",
  settings: "设置",
  returnData: "数据回传",
  signIn: "登录",
  token: "令牌",
  tokenHint: "由您的登录服务签发的机器人 JWT，仅保存在本标签页内存中。",
};
