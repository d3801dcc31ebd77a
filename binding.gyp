{
  # The native build is described in addon/CMakeLists.txt, which cmake-js drives; this target only runs it. npm does not
  # ("gypfile": false in package.json): node-gyp begins with emptying build/.
  "targets": [
    {
      "target_name": "tsrun",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": ["addon/CMakeLists.txt"],
          "outputs": ["build/Release/tsrun.node"],
          "action": ["node", "scripts/build.mjs", "native"]
        }
      ]
    }
  ]
}
