import type { common as en } from "../en/common";

export const common: typeof en = {
  cancel: "取消",
  close: "关闭",
  save: "保存",
  retry: "重试",
  undo: "撤销",
  copy: "复制",
  copied: "已复制",
  loading: "加载中…",
  more: "显示更多",
  none: "无",
  newTab: "在新标签页中打开",
  optional: "选填",
  history: "操作记录",
  roles: { CREATOR: "创建者", ADMIN: "管理员", AGENT: "客服", INTEGRATOR: "对接方" },
  kinds: { DEFAULT: "默认标签", RETURN: "回传数据", AD: "广告标签", COMBO: "组合标签" },
  states: { PENDING: "生效中", ACTIVE: "已生效", LAPSED: "已失效" },
  channelKinds: { SERVICE_ACCOUNT: "服务号", SUBSCRIPTION_ACCOUNT: "订阅号", MINI_PROGRAM: "小程序" },
};
