export { broadcasts } from "./broadcasts";
export { common } from "./common";
export { problems } from "./problems";
export { shell } from "./shell";
export { tags } from "./tags";
