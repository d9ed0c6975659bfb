import { useEffect, useState } from "preact/hooks";

const ENOUGH = "(min-width: 68rem)";

/** Tells whether list, chat and person have room beside each other. */
export function useRoomForAll(): boolean {
  const [enough, setEnough] = useState(() => matchMedia(ENOUGH).matches);
  useEffect(() => {
    const query = matchMedia(ENOUGH);
    const follow = () => setEnough(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
  return enough;
}
