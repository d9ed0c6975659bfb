export { broadcasts } from "./broadcasts";
export { common } from "./common";
export { expressions } from "./expressions";
export { problems } from "./problems";
export { shell } from "./shell";
export { tags } from "./tags";
