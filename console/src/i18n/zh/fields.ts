import type { fields as en } from "../en/fields";

const WORDS: Record<string, string> = {
  BAD_CURSOR: "分页位置已失效，请重新加载列表。",
  BAD_CHARACTER: "含有不允许的字符（控制符、换行符或方向符）。",
  BAD_FORMAT: "格式不正确。",
  BAD_LENGTH: "长度不符合要求。",
  BAD_VALUE: "该值不可用。",
  CYCLE: "组合标签不能包含自身。",
  EMPTY: "不能为空。",
  IN_PAST: "时间必须晚于现在。",
  IN_THE_PAST: "时间必须晚于现在。",
  KIND_CHANGED: "该账号此前以其他类型绑定，类型不能更改。",
  MALFORMED_OPENID: "openid 由 1 至 128 个字母、数字、下划线或连字符组成。",
  MINI_PROGRAM: "小程序无法被关注，因此不可用。",
  NAME_TAKEN: "该分类下已有同名标签。",
  NOTHING_USABLE: "名单中没有可用的 openid。",
  NOT_ALLOWED: "此处不可使用。",
  NOT_A_COMBO: "该标签不是组合标签。",
  NOT_AN_ADD: "只能撤销添加的批次。",
  NOT_FOUND: "未找到。",
  NOT_LINKED: "该标签未与公众号关联。",
  NOT_SYNCED: "该标签尚未同步到公众号。",
  NOT_USABLE: "含有未生效的标签。",
  NO_OPENID_COLUMN: "请指明 openid 所在的列。",
  NULL: "不能为空。",
  ONLY_WITH_ADD: "仅可用于添加。",
  OUT_OF_RANGE: "超出范围。",
  REPEATED: "存在重复的内容。",
  REQUIRED: "此项必填。",
  TAG_NOT_USABLE: "含有未生效的标签。",
  TOO_FEW: "数量太少。",
  TOO_MANY: "数量太多。",
};

export const fields: typeof en = {
  text: (code, message) => WORDS[code] ?? message,
};
