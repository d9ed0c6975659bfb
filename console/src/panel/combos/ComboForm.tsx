import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { ComboCategoriesDocument, type TagExpressionInput } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import type { Problem } from "../../api/problem";
import { ApiProblem } from "../../app/ApiProblem";
import { fieldText } from "../../app/fieldText";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Stack } from "../../ui/Layout";
import { Reason } from "../../ui/Reason";
import { Section } from "../../ui/Section";
import { TextArea } from "../../ui/TextArea";
import { TextInput } from "../../ui/TextInput";
import { toInput } from "../expressions/conversion";
import { ExpressionEditor } from "../expressions/ExpressionEditor";
import type { KnownNodes } from "../expressions/knownNodes";
import { type Tree, tagIdsOf } from "../expressions/tree";
import type { ComboDraft } from "./draft";

const ALLOWED = { followers: true, pending: true };
/** Codes that are said beside the input, or in the expression. */
const SAID_ELSEWHERE = ["NAME_TAKEN", "CONFLICT"];

interface ComboFormProps {
  readonly channel: string;
  readonly draft: ComboDraft;
  readonly onDraft: (draft: ComboDraft) => void;
  readonly tree: Tree;
  readonly onTree: (tree: Tree) => void;
  readonly known: KnownNodes;
  readonly forbidden?: ReadonlyMap<string, string>;
  readonly problem: Problem | null;
  readonly action: string;
  readonly busy: boolean;
  /** Why it cannot be saved at all. */
  readonly reason: string | null;
  /** What is shown between the expression and the button. */
  readonly preview: ComponentChildren;
  readonly onSubmit: (expression: TagExpressionInput) => void;
}

/** Asks for the names and the expression of a combo; what was entered stays whatever becomes of it. */
export function ComboForm(props: ComboFormProps) {
  const { channel, draft, onDraft, tree, known, forbidden, problem, busy, reason } = props;
  const all = useMessages();
  const m = all.combos;
  const id = useId();
  const [tried, setTried] = useState(false);
  const categories = useQuery(ComboCategoriesDocument, { channel });
  const missing = { name: draft.name.trim() === "", category: draft.category.trim() === "" };
  const expression = toInput(tree);
  const isUsable = tagIdsOf(tree).every((tag) => isUsableTag(known, tag, forbidden));
  const lack = expression === null ? m.unfinished : isUsable ? null : m.unusable;
  const submit = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (reason || busy || missing.name || missing.category || lack || !expression) return;
    props.onSubmit(expression);
  };
  const taken = problem?.code === "NAME_TAKEN" ? all.problems.NAME_TAKEN : null;
  const ofExpression = problem?.fields.some(({ path }) => path.includes("expression"));
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap={5}>
        <Section card title={m.names}>
          <Stack gap={3}>
            <TextInput
              label={m.name}
              hint={m.nameHint}
              error={tried && missing.name ? m.nameMissing : (taken ?? fieldText(problem, "name", all))}
              value={draft.name}
              maxLength={64}
              required
              onInput={(name) => onDraft({ ...draft, name })}
            />
            <TextInput
              label={m.category}
              error={tried && missing.category ? m.categoryMissing : fieldText(problem, "category", all)}
              value={draft.category}
              maxLength={64}
              list={`${id}-categories`}
              required
              onInput={(category) => onDraft({ ...draft, category })}
            />
            <datalist id={`${id}-categories`}>
              {categories.data?.channel?.tagCategories.map(({ category }) => (
                <option key={category} value={category} />
              ))}
            </datalist>
            <TextArea
              label={`${m.description} (${all.common.optional})`}
              hint={m.descriptionHint}
              error={fieldText(problem, "description", all)}
              value={draft.description}
              rows={2}
              maxLength={1_000}
              onInput={(description) => onDraft({ ...draft, description })}
            />
          </Stack>
        </Section>
        <Section card title={m.expression} description={m.expressionHint}>
          <ExpressionEditor
            channel={channel}
            value={tree}
            onChange={props.onTree}
            allow={ALLOWED}
            problem={problem}
            strict={tried}
            {...(forbidden && { forbidden })}
          />
        </Section>
        {props.preview}
        {problem && !SAID_ELSEWHERE.includes(problem.code) && (
          <ApiProblem
            problem={problem}
            {...(problem.code === "BAD_USER_INPUT" && ofExpression && { title: m.unusable })}
          />
        )}
        <Stack gap={2}>
          {tried && lack && (
            <div role="alert">
              <Reason>{lack}</Reason>
            </div>
          )}
          <div>
            <Button type="submit" variant="primary" busy={busy} reason={reason}>
              {props.action}
            </Button>
          </div>
        </Stack>
      </Stack>
    </form>
  );
}

function isUsableTag(known: KnownNodes, id: string, forbidden?: ReadonlyMap<string, string>): boolean {
  const tag = known.tag(id);
  if (tag === undefined) return true;
  return tag !== null && !forbidden?.has(id) && tag.deletedAt === null && tag.state !== "LAPSED";
}
