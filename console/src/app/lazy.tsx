import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A part of the page could not be loaded: the service was updated since the page was, or does not answer. */
export class NotLoaded extends Error {}

/** Returns a component whose module is loaded when it is first shown; `default` is what the module exports. */
export function lazy<Props extends object>(
  load: () => Promise<{ default: ComponentType<Props> }>,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function Lazy(props: Props) {
    const [, setReady] = useState(loaded !== null);
    const [failure, setFailure] = useState<NotLoaded | null>(null);
    useEffect(() => {
      if (loaded) return;
      load().then(
        (module) => {
          loaded = module.default;
          setReady(true);
        },
        (cause) => setFailure(new NotLoaded(String(cause), { cause })),
      );
    }, []);
    if (failure) throw failure;
    const Component = loaded;
    return Component && <Component {...props} />;
  };
}
