import type { ComponentChildren } from "preact";
import type { Asked } from "../api/hooks";
import { useMessages } from "../i18n/messages";
import { Loading } from "../ui/Loading";
import { ApiProblem } from "./ApiProblem";

/** Shows what was asked for once it is there; until then, after a moment, that it is coming; or why it is not. */
export function Answer<Data>({
  asked,
  children,
}: {
  asked: Asked<Data>;
  children: (data: Data) => ComponentChildren;
}) {
  const m = useMessages();
  const { data, problem, again } = asked;
  return (
    <>
      <ApiProblem problem={problem} again={again} />
      {data === undefined ? !problem && <Loading label={m.common.loading} /> : children(data)}
    </>
  );
}
