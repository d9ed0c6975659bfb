import { Component, type ComponentChildren } from "preact";
import { useMessages } from "../i18n/messages";
import { Button } from "../ui/Button";
import { Problem } from "../ui/Problem";
import { NotLoaded } from "./lazy";

type Props = { /** Another place is tried anew. */ place: string; children: ComponentChildren };

/** Shows what to do in place of a part of the page that broke; the rest goes on. */
export class ErrorBoundary extends Component<Props, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  override componentDidUpdate({ place }: Props) {
    if (place !== this.props.place && this.state.error !== null) this.setState({ error: null });
  }

  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    return this.state.error === null ? this.props.children : <Broken error={this.state.error} />;
  }
}

function Broken({ error }: { error: unknown }) {
  const m = useMessages();
  if (error instanceof NotLoaded) {
    return (
      <Problem
        title={m.shell.notLoaded.title}
        action={<Button onClick={() => location.reload()}>{m.shell.broken.reload}</Button>}
      >
        <p>{m.shell.notLoaded.text}</p>
      </Problem>
    );
  }
  return (
    <Problem
      title={m.shell.broken.title}
      action={<Button onClick={() => location.reload()}>{m.shell.broken.reload}</Button>}
    >
      <p>{m.shell.broken.text}</p>
      <code>{error instanceof Error ? error.message : String(error)}</code>
    </Problem>
  );
}
