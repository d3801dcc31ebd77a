/** The interpreter's loop: what most bytecodes do happens in place, without a call. */

const interpreter = '\nstatic JSValue JS_CallInternal(JSContext *caller_ctx,';

const inPlace = `
js_inline void js_free_in_place(JSContext *ctx, JSValue v)
{
    if (JS_VALUE_HAS_REF_COUNT(v) && js_rc_dec(JS_VALUE_GET_PTR(v)) <= 0)
        js_free_value_rt(ctx->rt, v);
}

js_inline void set_value_in_place(JSContext *ctx, JSValue *place, JSValue v)
{
    JSValue old = *place;
    *place = v;
    js_free_in_place(ctx, old);
}

js_inline JSValue js_atom_value_in_place(JSContext *ctx, JSAtom atom)
{
    JSAtomStruct *p;
    if (unlikely(__JS_AtomIsTaggedInt(atom)))
        return JS_AtomToValue(ctx, atom);
    p = ctx->rt->atom_array[atom];
    return js_dup(JS_MKPTR(p->atom_type == JS_ATOM_TYPE_STRING ? JS_TAG_STRING : JS_TAG_SYMBOL, p));
}

/* A function in C needs no frame of the interpreter. */
js_inline JSValue js_call_in_place(JSContext *ctx, JSValueConst func, JSValueConst this_obj, int argc,
                                   JSValueConst *argv)
{
    if (JS_VALUE_GET_TAG(func) == JS_TAG_OBJECT && JS_VALUE_GET_OBJ(func)->class_id == JS_CLASS_C_FUNCTION)
        return js_call_c_function(ctx, func, this_obj, argc, argv, 0);
    return JS_CallInternal(ctx, func, this_obj, JS_UNDEFINED, argc, argv, 0);
}

#define JS_FreeValue js_free_in_place
#define set_value set_value_in_place
`;

const afterInterpreter = '\nJSValue JS_Call(JSContext *ctx, JSValueConst func_obj, JSValueConst this_obj,';

const call = (receiver) => ({
  find: `                ret_val = JS_CallInternal(ctx, call_argv[-1], ${receiver},
                                          JS_UNDEFINED, call_argc,
                                          vc(call_argv), 0);
                if (unlikely(JS_IsException(ret_val)))
                    goto exception;
                if (opcode ==`,
  put: `                ret_val = js_call_in_place(ctx, call_argv[-1], ${receiver}, call_argc, vc(call_argv));
                if (unlikely(JS_IsException(ret_val)))
                    goto exception;
                if (opcode ==`,
  times: 1,
});

/** There are more such lines; those before this comment look a property up. */
const exotic = /if \(unlikely\(p->is_exotic\)\) \{(?=\n\s+\/\*[^*]*avoid the slow path for arrays)/g;

/** An array has elements of its own only, and those by number. */
const exoticButNoArray =
  'if (unlikely(p->is_exotic) && (p->class_id != JS_CLASS_ARRAY || __JS_AtomIsTaggedInt(atom))) {';

const methodSlowly = `                } else {
                get_field2_slow_path:
`;

const methodOfString = `                } else if (JS_VALUE_GET_TAG(obj) == JS_TAG_STRING && !__JS_AtomIsTaggedInt(atom) &&
                           atom != JS_ATOM_length) {
                    prs = find_own_property(&pr, JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_STRING]), atom);
                    if (!prs || (prs->flags & JS_PROP_TMASK))
                        goto get_field2_slow_path;
                    val = js_dup(pr->u.value);
${methodSlowly}`;

/** @type {import('./quickjs-changes.mjs').Change[]} */
export const interpreting = [
  {
    find: '\nstatic JSValue js_dup(JSValueConst v)\n{',
    put: '\njs_inline JSValue js_dup(JSValueConst v)\n{',
    times: 1,
  },
  {
    find: 'static inline __exception int js_poll_interrupts(',
    put: 'js_inline __exception int js_poll_interrupts(',
    times: 1,
  },
  { find: interpreter, put: `${inPlace}${interpreter}`, times: 1 },
  { find: afterInterpreter, put: `\n#undef JS_FreeValue\n#undef set_value\n${afterInterpreter}`, times: 1 },
  {
    find: '            *sp++ = JS_AtomToValue(ctx, get_u32(pc));\n',
    put: '            *sp++ = js_atom_value_in_place(ctx, get_u32(pc));\n',
    times: 1,
  },
  {
    find: `                JS_FreeValue(ctx, op1);
                sp[-1] = JS_AtomToString(ctx, atom);`,
    put: `                JS_FreeValue(ctx, op1);
                sp[-1] = js_atom_value_in_place(ctx, atom);`,
    times: 1,
  },
  call('JS_UNDEFINED'),
  call('call_argv[-2]'),
  { find: exotic, put: exoticButNoArray, times: 2 },
  { find: methodSlowly, put: methodOfString, times: 1 },
];
