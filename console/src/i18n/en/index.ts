export { broadcasts } from "./broadcasts";
export { channels } from "./channels";
export { common } from "./common";
export { expressions } from "./expressions";
export { problems } from "./problems";
export { session } from "./session";
export { shell } from "./shell";
export { tags } from "./tags";
