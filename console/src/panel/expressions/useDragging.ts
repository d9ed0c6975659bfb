import { combine } from "@atlaskit/pragmatic-drag-and-drop/combine";
import { draggable, dropTargetForElements } from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { canDrop, type Drop, dropOnRow, dropped } from "./drop";
import { useEditing } from "./editing";

type Row = RefObject<HTMLElement | null>;

/** Makes a row something that can be dragged by its handle, and dropped onto; returns where a drop would go now. */
export function useDragging(key: string, row: Row, handle: Row): { over: Drop | null; isDragged: boolean } {
  const editing = useEditing();
  const now = useRef(editing);
  now.current = editing;
  const [over, setOver] = useState<Drop | null>(null);
  const [isDragged, setDragged] = useState(false);
  useEffect(() => {
    const element = row.current;
    if (!element) return;
    const keyOf = (source: { data: Record<string | symbol, unknown> }) => String(source.data.node);
    const aim = (clientY: number): Drop => {
      const { top, height } = element.getBoundingClientRect();
      return dropOnRow(now.current.tree, key, (clientY - top) / Math.max(1, height));
    };
    const target = dropTargetForElements({
      element,
      canDrop: ({ source }) => canDrop(now.current.tree, keyOf(source), key),
      onDrag: ({ location, self }) => {
        const isInnermost = location.current.dropTargets[0]?.element === self.element;
        const drop = isInnermost ? aim(location.current.input.clientY) : null;
        setOver((before) => (before?.kind === drop?.kind ? before : drop));
      },
      onDragLeave: () => setOver(null),
      onDrop: ({ source, location, self }) => {
        setOver(null);
        if (location.current.dropTargets[0]?.element !== self.element) return;
        const { tree, apply } = now.current;
        const dragged = keyOf(source);
        apply(dropped(tree, dragged, aim(location.current.input.clientY)), dragged);
      },
    });
    if (!handle.current) return target;
    const source = draggable({
      element,
      dragHandle: handle.current,
      getInitialData: () => ({ node: key }),
      onDragStart: () => setDragged(true),
      onDrop: () => setDragged(false),
    });
    return combine(target, source);
  }, [key, row, handle]);
  return { over, isDragged };
}
