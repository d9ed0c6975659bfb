import type { session as en } from "../en/session";

export const session: typeof en = {
  heading: "登录",
  lead: "控制台需要一个令牌，用来说明您的身份和角色权限。",
  token: "令牌",
  tokenHint: "由您的登录服务签发给该机器人的 JWT，仅保存在本标签页的内存中。",
  signIn: "登录",
  demo: "在演示环境中，启动演示的终端会为每个角色显示一个登录链接。",
  waiting: "也可以在此等待：打开本页的页面可以把令牌传递过来。",
  malformed: "这不是令牌：令牌由三段组成，中间以点分隔。请完整复制。",
  outdated: (since) => `此令牌已于 ${since} 过期，请向登录服务获取新的令牌。`,
  refused: "服务不接受此令牌：它可能已过期，或不是签发给本服务的。",
  expiredTitle: "登录已过期",
  expiredText: "页面和已填写的内容都会保留。粘贴新的令牌即可继续；登录页面或其他标签页也可以传递令牌。",
  goOn: "继续",
  until: (time) => `令牌有效期至 ${time}`,
};
