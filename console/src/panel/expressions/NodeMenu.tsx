import { useMessages } from "../../i18n/messages";
import { MoreIcon, TrashIcon } from "../../ui/icons";
import { Menu, type MenuItem } from "../../ui/Menu";
import { type ActionName, attempt, type Obstacle } from "./actions";
import { useEditing } from "./editing";
import { find, isGroup, MAX_DEPTH, MAX_LEAVES, parentOf } from "./tree";
import { nameOf } from "./words";

type Words = ReturnType<typeof useMessages>["expressions"];

/** Says why something cannot be done. */
export function obstacleText(obstacle: Obstacle, m: Words): string {
  if (obstacle === "tooDeep") return m.tooDeep(MAX_DEPTH);
  return obstacle === "tooMany" ? m.tooMany(MAX_LEAVES) : m[obstacle];
}

/** Everything that can be done with a node, for those who do not drag. */
export function NodeMenu({ nodeKey }: { nodeKey: string }) {
  const m = useMessages().expressions;
  const { tree, known, active, perform, setChoosing } = useEditing();
  const node = find(tree, nodeKey);
  if (!node) return null;
  const parent = parentOf(tree, nodeKey);
  const above = parent?.children[parent.children.indexOf(node) - 1];
  const isTaken = parent?.kind === "except" && parent.children[1] === node;
  const item = (action: ActionName, label: string): MenuItem => {
    const outcome = attempt(tree, nodeKey, action);
    return {
      key: action,
      label,
      reason: "obstacle" in outcome ? obstacleText(outcome.obstacle, m) : null,
      onSelect: () => perform(nodeKey, action),
    };
  };
  const items: MenuItem[] = [
    ...(isGroup(node) || node.kind === "hole"
      ? []
      : [{ key: "change", label: m.change, onSelect: () => setChoosing(nodeKey) }]),
    ...(node.kind === "hole" ? [] : [item("negate", isTaken ? m.takeBackIn : m.leaveOut)]),
    item("moveUp", m.moveUp),
    item("moveDown", m.moveDown),
    item("moveIn", above && !isGroup(above) ? m.groupWithAbove : m.moveIn),
    item("moveOut", m.moveOut),
    item("wrapAll", m.wrapAll),
    item("wrapAny", m.wrapAny),
    ...(isGroup(node) ? [item("unwrap", node.kind === "except" ? m.unwrapExcept : m.unwrap)] : []),
    { ...item("remove", m.remove), danger: true, icon: <TrashIcon size={14} /> },
  ];
  return (
    <Menu
      label={m.menu(nameOf(node, known, m))}
      items={items}
      button={<MoreIcon />}
      plain
      tabIndex={active === nodeKey ? 0 : -1}
    />
  );
}
